// SPDX-License-Identifier: Apache-2.0
#include "src/cli/network_inputs.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/types.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>

#include <CLI/CLI.hpp>

#include "faultwave/error.h"

#include "src/common/number_ranges.h"
#include "src/common/numbers.h"
#include "src/common/torch_names.h"
#include "src/data/input_doubts.h"
#include "src/model/batch_sizes.h"

namespace faultwave::cli {
namespace {

bool is_image(const std::string& path) {
  const size_t dot = path.rfind('.');
  std::string ending = dot == std::string::npos ? "" : path.substr(dot + 1);
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return ending == "png" || ending == "jpg" || ending == "jpeg";
}

Preprocess preprocess_of(const SubjectFlags& flags) {
  Preprocess preprocess;
  if (flags.resize > 0) preprocess.resize = flags.resize;
  if (flags.crop > 0) preprocess.crop = flags.crop;
  if (!flags.mean.empty()) std::copy(flags.mean.begin(), flags.mean.end(), preprocess.mean.begin());
  if (!flags.std.empty()) std::copy(flags.std.begin(), flags.std.end(), preprocess.std.begin());
  preprocess.is_scaled = !flags.mean.empty() || !flags.std.empty();
  return preprocess;
}

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

at::Tensor images_in(const std::string& folder, const Preprocess& preprocess) {
  const std::shared_ptr<InputSet> images = open_inputs(folder, preprocess);
  std::vector<at::Tensor> all;
  for (int64_t i = 0; i < images->size(); ++i)
    all.push_back(images->get(i).at(0));
  return at::stack(all);
}

at::Tensor read_input(const std::string& path, const InputSpec& spec, const Preprocess& preprocess) {
  if (is_folder(path)) return images_in(path, preprocess);
  if (is_image(path)) return load_image(path, preprocess).unsqueeze(0);
  const at::Tensor tensor = load_tensor(path);
  const bool lacks_batch = spec.shape && tensor.dim() + 1 == static_cast<int64_t>(spec.shape->size());
  return lacks_batch ? tensor.unsqueeze(0) : tensor;
}

std::vector<int64_t> parse_shape(const std::string& text) {
  std::vector<int64_t> shape;
  double values = 1;
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    const std::optional<int64_t> size = parse_integer(part);
    if (!size) {
      throw UserError(ErrorCode::usage,
                      "--shape '" + text + "': expected sizes joined by commas, such as 1,3,224,224");
    }
    check_number("--shape", *size, "--shape '" + text + "': a size");
    shape.push_back(*size);
    values *= static_cast<double>(*size);
    begin = end + 1;
  }
  check_number("--shape", values, "--shape '" + text + "': the number of values");
  return shape;
}

at::Tensor made_up_input(const std::vector<int64_t>& shape, at::ScalarType dtype, at::Generator generator) {
  if (!at::isFloatingType(dtype)) return at::zeros(shape, at::TensorOptions().dtype(dtype));
  return at::randn(shape, generator, at::TensorOptions().dtype(at::kFloat)).to(dtype);
}

std::vector<at::Tensor> made_up_inputs(const SubjectFlags& flags, const std::vector<InputSpec>& specs) {
  // A generator of our own: nothing global is moved, and every call sees the same values.
  const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(1);
  std::vector<at::Tensor> inputs;
  const size_t count = flags.shapes.empty() ? specs.size() : flags.shapes.size();
  for (size_t i = 0; i < count; ++i) {
    const at::ScalarType dtype = i < specs.size() && specs[i].dtype ? *specs[i].dtype : at::kFloat;
    if (!flags.shapes.empty()) {
      inputs.push_back(made_up_input(parse_shape(flags.shapes[i]), dtype, generator));
      continue;
    }
    if (!specs[i].example) {
      throw UserError(ErrorCode::usage,
                      "'" + flags.model + "' does not say what shape its input '" + specs[i].name +
                          "' has: give --input FILE or --shape, such as --shape 1,3,224,224");
    }
    const bool is_number = specs[i].shape && specs[i].shape->empty() && specs[i].example->size() == 1;
    inputs.push_back(is_number ? at::scalar_tensor(specs[i].example->front(), dtype)
                               : made_up_input(*specs[i].example, dtype, generator));
  }
  return inputs;
}

}  // namespace

void add_subject_flags(CLI::App& command, SubjectFlags& flags, bool made_up_inputs_will_do) {
  command.add_option("MODEL", flags.model, "The network: an exported program (.pt2) or TorchScript (.pt)")
      ->required()
      ->type_name("FILE");
  CLI::Option* input = command.add_option("--input", flags.inputs,
                                          "Image (.png, .jpg), folder of images, or tensor (.npy, .pt, "
                                          ".safetensors); one for each network input");
  input->type_name("FILE")->allow_extra_args(false);
  if (made_up_inputs_will_do) {
    command
        .add_option("--shape", flags.shapes,
                    "Shape of a made-up input, such as 1,3,224,224; one for each network input")
        ->type_name("SIZES")
        ->allow_extra_args(false)
        ->excludes(input);
  } else {
    input->required();
  }
  command.add_option("--resize", flags.resize, "Images: scale the shorter side to this")
      ->type_name("PIXELS")
      ->check(in_range("resize"));
  command.add_option("--crop", flags.crop, "Images: cut the middle square of this side")
      ->type_name("PIXELS")
      ->check(in_range("crop"));
  command.add_option("--mean", flags.mean, "Images: subtracted from red, green and blue in [0, 1]")
      ->expected(3)
      ->delimiter(',')
      ->type_name("R,G,B");
  command.add_option("--std", flags.std, "Images: red, green and blue are then divided by this")
      ->expected(3)
      ->delimiter(',')
      ->type_name("R,G,B");
  add_network_flags(command, flags.network);
}

std::shared_ptr<NetworkFile> open_network(const SubjectFlags& flags) {
  apply(flags.network);
  OpenOptions options;
  if (!flags.network.device.empty()) options.device = parse_device(flags.network.device);
  if (!flags.network.dtype.empty()) options.dtype = parse_dtype(flags.network.dtype);
  return Network::open(flags.model, options);
}

std::vector<c10::IValue> network_inputs(const SubjectFlags& flags, const NetworkFile& network) {
  const std::vector<InputSpec> specs = network.inputs();
  std::vector<at::Tensor> tensors;
  for (size_t i = 0; i < flags.inputs.size(); ++i) {
    tensors.push_back(
        read_input(flags.inputs[i], i < specs.size() ? specs[i] : InputSpec{}, preprocess_of(flags)));
  }
  if (tensors.empty()) tensors = made_up_inputs(flags, specs);

  std::vector<c10::IValue> inputs;
  for (at::Tensor tensor : tensors) {
    if (!flags.network.dtype.empty() && tensor.is_floating_point())
      tensor = tensor.to(parse_dtype(flags.network.dtype));
    if (!flags.network.device.empty()) tensor = tensor.to(parse_device(flags.network.device));
    inputs.emplace_back(tensor);
  }
  return detail::fitting(network, inputs);
}

std::vector<std::string> input_names(const SubjectFlags& flags) {
  std::vector<std::string> names;
  if (flags.inputs.empty() || !is_folder(flags.inputs[0])) return names;
  const std::shared_ptr<InputSet> images = open_inputs(flags.inputs[0], preprocess_of(flags));
  for (int64_t i = 0; i < images->size(); ++i)
    names.push_back(images->name(i));
  return names;
}

std::vector<std::string> input_warnings(const SubjectFlags& flags, const std::vector<c10::IValue>& inputs) {
  std::vector<std::string> warnings = doubts_about_files(flags.inputs, preprocess_of(flags));
  for (size_t i = 0; i < inputs.size(); ++i) {
    const at::Tensor& input = inputs[i].toTensor();
    const bool can_have = input.is_floating_point() || input.is_complex();
    if (!can_have || at::isfinite(input).all().item<bool>()) continue;
    warnings.push_back("NaN or infinity is in '" + (i < flags.inputs.size() ? flags.inputs[i] : "") + "'");
  }
  return warnings;
}

}  // namespace faultwave::cli
