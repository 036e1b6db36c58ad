# SPDX-License-Identifier: Apache-2.0
"""What the package raises. PyTorchFI raises AssertionError, so these are AssertionErrors as well."""

from __future__ import annotations

import faultwave as fw


class DeclarationError(fw.UsageError, AssertionError):
    """A declaration that cannot be understood: a keyword, a length, a type."""


class OutOfBoundsError(fw.IllegalFaultError, AssertionError):
    """A layer, a batch element or an index that the network does not have."""


class FaultyModelError(fw.UsageError):
    """Something that a faulty model cannot do, since its layers are those of the original model."""
