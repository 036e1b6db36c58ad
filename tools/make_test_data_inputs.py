#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the tensor files that tests/data reads: usage: make_test_data_inputs.py OUT_DIR

Files are written to OUT_DIR/inputs. Their values are bytes of a fixed pattern, seen as each type, so that the
tests can compare bit for bit, NaN included, without a second copy of the values.
"""

import collections
import io
import json
import pathlib
import struct
import sys
import zipfile

import numpy
import torch

SHAPE = (2, 3, 4)
COUNT = 24

NPY_TYPES = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"]

TORCH_TYPES = {
    "int8": torch.int8, "int16": torch.int16, "int32": torch.int32, "int64": torch.int64, "uint8": torch.uint8,
    "float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32, "float64": torch.float64,
    "complex64": torch.complex64,
}  # fmt: skip

SAFETENSORS_BYTES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1,
    "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1,
}  # fmt: skip


def pattern(byte_count):
    """Byte i is (37 i + 11) mod 256."""
    return bytes((37 * i + 11) % 256 for i in range(byte_count))


def pattern_array(dtype):
    dtype = numpy.dtype(dtype)
    return numpy.frombuffer(pattern(COUNT * dtype.itemsize), dtype).reshape(SHAPE)


def pattern_bools():
    """Entry i tells whether i is a multiple of three."""
    return (numpy.arange(COUNT) % 3 == 0).reshape(SHAPE)


def pattern_tensor(dtype):
    item_bytes = torch.empty(0, dtype=dtype).element_size()
    return torch.frombuffer(bytearray(pattern(COUNT * item_bytes)), dtype=dtype).reshape(SHAPE)


def write_npy(folder):
    for name in NPY_TYPES:
        numpy.save(folder / f"{name}.npy", pattern_array("<" + name))
    numpy.save(folder / "b1.npy", pattern_bools())
    for name in ["i2", "f4", "c8"]:
        numpy.save(folder / f"big_{name}.npy", pattern_array("<" + name).astype(">" + name))
    numpy.save(folder / "fortran.npy", numpy.asfortranarray(pattern_array("<f4")))
    for version in [2, 3]:
        with open(folder / f"version{version}.npy", "wb") as file:
            numpy.lib.format.write_array(file, pattern_array("<f4"), version=(version, 0))
    numpy.save(folder / "zero_d.npy", numpy.float32(2.5))
    numpy.save(folder / "one_axis.npy", numpy.arange(5, dtype="<i4"))
    numpy.save(folder / "empty.npy", numpy.zeros((0, 3), "<f4"))
    numpy.save(folder / "text.npy", numpy.array(["a", "b"]))
    numpy.save(folder / "objects.npy", numpy.array([1, "b"], dtype=object), allow_pickle=True)
    numpy.save(folder / "records.npy", numpy.zeros(3, dtype=[("x", "<f4"), ("y", "<i4")]))
    numpy.save(folder / "dates.npy", numpy.zeros(3, dtype="datetime64[s]"))
    numpy.save(folder / "longdouble.npy", numpy.zeros(3, dtype=numpy.longdouble))


class Impostor:
    """Pickles as a tensor of 24 FP32 values with a shape and strides that do not fit them."""

    def __init__(self, offset, size, stride):
        self.arguments = (offset, size, stride, False, collections.OrderedDict())

    def __reduce__(self):
        storage = pattern_tensor(torch.float32).storage()
        return torch._utils._rebuild_tensor_v2, (storage, *self.arguments)


def write_archive_with_short_data(path):
    """torch.save's archive, with the last byte of the tensor's data left out."""
    original = io.BytesIO()
    torch.save(pattern_tensor(torch.float32), original)
    with zipfile.ZipFile(original) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            record = old.read(name)
            new.writestr(name, record[:-1] if name.endswith("/data/0") else record)


def write_torch(folder):
    for name, dtype in TORCH_TYPES.items():
        torch.save(pattern_tensor(dtype), folder / f"{name}.pt")
    torch.save(torch.from_numpy(pattern_bools()), folder / "bool.pt")
    tensor = pattern_tensor(torch.float32)
    torch.save([tensor], folder / "list.pt")
    torch.save((tensor, "a label", 3), folder / "tuple.pt")
    torch.save({"image": tensor, "label": 3}, folder / "dictionary.pt")
    torch.save(collections.OrderedDict(image=tensor), folder / "ordered.pt")
    torch.save(torch.nn.Parameter(torch.ones(2, 3)), folder / "parameter.pt")
    torch.save(tensor.transpose(0, 2), folder / "transposed.pt")
    torch.save(tensor[1:, :, ::2], folder / "slice.pt")
    torch.save(torch.tensor(2.5), folder / "zero_d.pt")

    torch.save([tensor, tensor + 1], folder / "two.pt")
    torch.save([[tensor]], folder / "nested.pt")
    torch.save(3, folder / "number.pt")
    torch.save(torch.nn.Linear(2, 3), folder / "module.pt")
    torch.save(torch.eye(3).to_sparse(), folder / "sparse.pt")
    torch.save(torch.ones(4, dtype=torch.float8_e4m3fn), folder / "float8.pt")
    torch.save(tensor, folder / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.jit.script(torch.nn.Linear(2, 3)).save(str(folder / "torchscript.pt"))
    torch.save(Impostor(0, (25,), (1,)), folder / "too_long.pt")
    torch.save(Impostor(20, (5,), (1,)), folder / "offset.pt")
    torch.save(Impostor(0, (3,), (12,)), folder / "stride.pt")
    torch.save(Impostor(0, (1 << 40, 1 << 40), (0, 0)), folder / "huge.pt")
    write_archive_with_short_data(folder / "short_data.pt")


def write_safetensors_file(path, entries, metadata=None):
    """entries: name -> (dtype, shape, bytes). Written from the description of the format, without its library."""
    header = {} if metadata is None else {"__metadata__": metadata}
    data = b""
    for name, (dtype, shape, values) in entries.items():
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def write_safetensors(folder):
    entries = {name: (name, SHAPE, pattern(COUNT * size)) for name, size in SAFETENSORS_BYTES.items()}
    entries["BOOL"] = ("BOOL", SHAPE, pattern_bools().tobytes())
    entries["of a future type"] = ("F4", (8,), pattern(4))
    write_safetensors_file(folder / "all.safetensors", entries)
    single = {"images": ("F32", SHAPE, pattern(4 * COUNT))}
    write_safetensors_file(folder / "single.safetensors", single, metadata={"format": "pt"})


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1]) / "inputs"
    folder.mkdir(parents=True, exist_ok=True)
    write_npy(folder)
    write_torch(folder)
    write_safetensors(folder)


if __name__ == "__main__":
    main()
