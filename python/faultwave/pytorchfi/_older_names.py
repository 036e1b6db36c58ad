# SPDX-License-Identifier: Apache-2.0
"""Names of PyTorchFI's releases, up to 0.6.0, for what its newest source calls otherwise or has dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn

if TYPE_CHECKING:
    from faultwave.pytorchfi.core import FaultInjection


class OlderNames:
    """The older methods and attributes of a FaultInjection."""

    def declare_neuron_fi(self: FaultInjection, **kwargs: Any) -> nn.Module:  # type: ignore[misc]
        """See declare_neuron_fault_injection."""
        return self.declare_neuron_fault_injection(**kwargs)

    def declare_weight_fi(self: FaultInjection, **kwargs: Any) -> nn.Module:  # type: ignore[misc]
        """See declare_weight_fault_injection."""
        return self.declare_weight_fault_injection(**kwargs)

    def fi_reset(self: FaultInjection) -> None:  # type: ignore[misc]
        """See reset_fault_injection."""
        self.reset_fault_injection()

    def assert_inj_bounds(self: FaultInjection, index: int) -> None:  # type: ignore[misc]
        """See assert_injection_bounds."""
        self.assert_injection_bounds(index)

    def updateLayer(self: FaultInjection, value: int = 1) -> None:  # type: ignore[misc]
        """See update_layer."""
        self.update_layer(value)

    def get_original_model(self: FaultInjection) -> nn.Module:  # type: ignore[misc]
        """The model that it was made for."""
        return self.original_model

    def get_corrupted_model(self: FaultInjection) -> nn.Module | None:  # type: ignore[misc]
        """The model that was declared last."""
        return self.corrupted_model

    def get_output_size(self: FaultInjection) -> list[list[int]]:  # type: ignore[misc]
        """The shapes of all outputs at batch 1."""
        return self.output_size

    def get_inj_layer_types(self: FaultInjection) -> Any:  # type: ignore[misc]
        """The modules that count as layers."""
        return self._inj_layer_types

    def get_current_layer(self: FaultInjection) -> int:  # type: ignore[misc]
        """How many layers a function has counted in this forward."""
        return self.current_layer

    def get_corrupt_layer(self: FaultInjection) -> Any:  # type: ignore[misc]
        """The layer numbers of the present declaration."""
        return self.corrupt_layer

    def set_corrupt_layer(self: FaultInjection, value: Any) -> None:  # type: ignore[misc]
        """Changes the layer numbers that functions see. Values stay where they were declared."""
        self.corrupt_layer = value

    def get_total_batches(self: FaultInjection) -> int:  # type: ignore[misc]
        """The batch size."""
        return self.batch_size

    def get_fmaps_num(self: FaultInjection, layer: int) -> int:  # type: ignore[misc]
        """How many feature maps an output has."""
        return self.output_size[layer][1]

    def get_fmaps_H(self: FaultInjection, layer: int) -> int:  # type: ignore[misc]
        """The height of an output's feature maps."""
        return self.output_size[layer][2]

    def get_fmaps_W(self: FaultInjection, layer: int) -> int:  # type: ignore[misc]
        """The width of an output's feature maps."""
        return self.output_size[layer][3]

    def get_fmap_HW(self: FaultInjection, layer: int) -> tuple[int, int]:  # type: ignore[misc]
        """Height and width of an output's feature maps."""
        return self.output_size[layer][2], self.output_size[layer][3]

    @property
    def corrupt_dim1(self: FaultInjection) -> Any:  # type: ignore[misc]
        """The first index of each fault of the present declaration."""
        return self.corrupt_dim[0]

    @property
    def corrupt_dim2(self: FaultInjection) -> Any:  # type: ignore[misc]
        """The second index of each fault of the present declaration."""
        return self.corrupt_dim[1]

    @property
    def corrupt_dim3(self: FaultInjection) -> Any:  # type: ignore[misc]
        """The third index of each fault of the present declaration."""
        return self.corrupt_dim[2]
