# SPDX-License-Identifier: Apache-2.0
"""Networks that the studies beside this folder inject faults in, as plain PyTorch modules."""
