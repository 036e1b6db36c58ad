# SPDX-License-Identifier: Apache-2.0
"""What runs before torch is imported: which builds a package holds, and the start of the program."""
