// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>

#include <algorithm>
#include <bit>

#include "faultwave/error.h"
#include "faultwave/inputs.h"

#include "src/common/input_file.h"
#include "src/common/output_file.h"
#include "src/common/plain_text.h"
#include "src/common/shape.h"
#include "src/data/npy_header.h"
#include "src/data/tensor_files.h"

namespace faultwave {
namespace {

static_assert(std::endian::native == std::endian::little,
              "values are read and written as they lie in memory");

constexpr size_t data_alignment = 64;  // numpy.save pads the header so that the data can be mapped

struct NpyLayout {
  NpyHeader header;
  uint64_t data_offset = 0;
};

NpyLayout read_layout(InputFile& file) {
  const std::string head = file.head(12);
  if (!head.starts_with(npy_magic))
    cannot_read(file.path(), "it is not an .npy file; expected one that numpy.save wrote");
  if (head.size() < 12) cannot_read(file.path(), "it ends within its header");
  const auto byte = [&](size_t i) { return static_cast<uint64_t>(static_cast<uint8_t>(head[i])); };

  const uint64_t version = byte(6);
  if (version < 1 || version > 3) {
    cannot_read(file.path(),
                "it has version " + std::to_string(version) + " of the format; expected 1, 2 or 3");
  }
  const uint64_t length =
      version == 1 ? byte(8) | byte(9) << 8 : byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24;
  const uint64_t start = version == 1 ? 10 : 12;
  if (length > file.size() - start) cannot_read(file.path(), "it ends within its header");
  return {.header = parse_npy_header(file.text(start, length), file.path()), .data_offset = start + length};
}

/// Reverses the bytes of each number; a complex value is two numbers.
void swap_bytes(at::Tensor& tensor) {
  const size_t item = tensor.is_complex() ? tensor.element_size() / 2 : tensor.element_size();
  auto* bytes = static_cast<char*>(tensor.mutable_data_ptr());
  for (size_t offset = 0; offset < tensor.nbytes(); offset += item) {
    std::reverse(bytes + offset, bytes + offset + item);
  }
}

/// The tensor in a type that NumPy has, contiguous and on the CPU.
at::Tensor storable(const at::Tensor& tensor, const std::string& path) {
  if (!tensor.defined() || tensor.layout() != at::kStrided) {
    throw UserError(ErrorCode::store, "cannot write '" + path + "': expected a dense tensor");
  }
  at::Tensor values = tensor.detach().cpu();
  if (values.is_quantized()) values = values.int_repr();
  if (npy_descr(values.scalar_type()).empty()) {
    if (!values.is_floating_point() || values.scalar_type() == at::kFloat4_e2m1fn_x2) {
      throw UserError(ErrorCode::store, "cannot write '" + path + "': .npy has no type for " +
                                            c10::toString(values.scalar_type()) + " values");
    }
    values = values.to(at::kFloat);
  }
  return values.resolve_conj().resolve_neg().contiguous();
}

std::string header_text(const at::Tensor& values) {
  std::string shape = "(";
  for (const int64_t size : values.sizes()) {
    shape += std::to_string(size) + (values.dim() == 1 ? "," : ", ");
  }
  if (values.dim() > 1) shape.resize(shape.size() - 2);
  shape += ")";
  std::string text = "{'descr': '" + npy_descr(values.scalar_type()) +
                     "', 'fortran_order': False, 'shape': " + shape + ", }";
  const size_t prefix = npy_magic.size() + 4;  // magic, version, length
  const size_t whole = (prefix + text.size() + 1 + data_alignment - 1) / data_alignment * data_alignment;
  text.resize(whole - prefix - 1, ' ');
  return text + "\n";
}

}  // namespace

at::Tensor read_npy(const std::string& path) {
  InputFile file(path);
  const auto [header, data_offset] = read_layout(file);
  const NpyType type = parse_npy_type(header.descr, path);
  const std::optional<int64_t> count = count_values(header.shape);
  if (!count) cannot_read(path, "its shape " + shortened(shape_text(header.shape), 100) + " is impossible");

  const auto expected = static_cast<uint64_t>(*count) * c10::elementSize(type.dtype);
  const uint64_t present = file.size() - data_offset;
  if (present != expected) {
    cannot_read(path, "its shape " + shortened(shape_text(header.shape), 100) + " and type '" +
                          shortened(header.descr, 100) + "' take " + std::to_string(expected) +
                          " bytes, and " + std::to_string(present) + " are there");
  }

  std::vector<int64_t> stored_shape = header.shape;
  if (header.fortran_order) std::reverse(stored_shape.begin(), stored_shape.end());
  at::Tensor tensor = at::empty(stored_shape, at::TensorOptions(type.dtype));
  file.read(data_offset, tensor.mutable_data_ptr(), expected);
  if (type.is_big_endian) swap_bytes(tensor);
  if (!header.fortran_order) return tensor;

  std::vector<int64_t> axes(stored_shape.size());
  for (size_t i = 0; i < axes.size(); ++i)
    axes[i] = static_cast<int64_t>(axes.size() - 1 - i);
  return tensor.permute(axes).contiguous();
}

void save_npy(const std::string& path, const at::Tensor& tensor) {
  const at::Tensor values = storable(tensor, path);
  const std::string header = header_text(values);
  const char version[] = {1, 0};
  const char length[] = {static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  write_file(path, [&](std::ostream& stream) {
    stream.write(npy_magic.data(), static_cast<std::streamsize>(npy_magic.size()));
    stream.write(version, sizeof version);
    stream.write(length, sizeof length);
    stream << header;
    stream.write(static_cast<const char*>(values.const_data_ptr()),
                 static_cast<std::streamsize>(values.nbytes()));
  });
}

}  // namespace faultwave
