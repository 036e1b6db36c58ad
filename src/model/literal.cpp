// SPDX-License-Identifier: Apache-2.0
#include "src/model/literal.h"

#include <limits>
#include <optional>
#include <string>

#include "faultwave/error.h"

#include "src/common/plain_text.h"
#include "src/model/export_types.h"
#include "src/model/json_integer.h"
#include "src/model/symbol_functions.h"

namespace faultwave::detail {
namespace {

using c10::IValue;
using c10::TypeKind;
using nlohmann::json;

/// JSON has no infinities; the exporter writes them as strings.
double float_value(const json& value) {
  if (value == "Infinity") return std::numeric_limits<double>::infinity();
  if (value == "-Infinity") return -std::numeric_limits<double>::infinity();
  if (value == "NaN") return std::numeric_limits<double>::quiet_NaN();
  return value.get<double>();
}

c10::TypePtr without_optional(const c10::TypePtr& type) {
  const auto optional = type->cast<c10::OptionalType>();
  return optional ? optional->getElementType() : type;
}

IValue number_of_type(const IValue& number, const c10::TypePtr& type) {
  switch (type->kind()) {
    case TypeKind::FloatType:
      return number.toScalar().toDouble();
    case TypeKind::IntType:
      return number.toScalar().toLong();
    case TypeKind::BoolType:
      return number.toScalar().toBool();
    case TypeKind::TensorType:
      return number_as_tensor(number);
    default:
      return number;
  }
}

IValue number_for(const IValue& number, const c10::Argument& formal) {
  const c10::TypePtr type = without_optional(formal.type());
  const auto list = type->cast<c10::ListType>();
  if (!list) return number_of_type(number, type);
  c10::impl::GenericList values(list->getElementType());
  for (int32_t i = 0; i < formal.N().value_or(1); ++i) {
    values.push_back(number_of_type(number, without_optional(list->getElementType())));
  }
  return values;
}

/// A list of numbers or strings, each element converted as it would be alone.
IValue list_for(const ArgumentField& field, const c10::Argument& formal) {
  const auto list = without_optional(formal.type())->expect<c10::ListType>();
  const std::string element_kind = field.kind.substr(0, field.kind.size() - 1);
  c10::impl::GenericList values(list->getElementType());
  for (const json& element : field.value) {
    const IValue value = element_kind == "as_string" ? IValue(element.get<std::string>())
                                                     : *plain_number({element_kind, element});
    values.push_back(number_of_type(value, without_optional(list->getElementType())));
  }
  return values;
}

IValue none_for(const c10::Argument& formal) {
  return formal.type()->kind() == TypeKind::TensorType ? IValue(at::Tensor()) : IValue();
}

}  // namespace

ArgumentField argument_field(const json& argument) {
  if (!argument.is_object() || argument.size() != 1) {
    throw UserError(ErrorCode::bad_input, "the description of the exported program is damaged: " +
                                              shortened(argument.dump(), 200) + " is no argument of a node");
  }
  return {argument.begin().key(), argument.begin().value()};
}

std::optional<IValue> plain_number(const ArgumentField& field) {
  if (field.kind == "as_none") return IValue();
  if (field.kind == "as_int") return IValue(json_integer(field.value));
  if (field.kind == "as_float") return IValue(float_value(field.value));
  if (field.kind == "as_bool") return IValue(field.value.get<bool>());
  return std::nullopt;
}

std::optional<IValue> literal(const ArgumentField& field, const c10::Argument& formal, at::Device device) {
  const std::string& kind = field.kind;
  const json& value = field.value;
  if (kind == "as_none") return none_for(formal);
  if (const auto number = plain_number(field)) return number_for(*number, formal);
  if (kind == "as_complex") {
    const c10::complex<double> number(float_value(value.at("real")), float_value(value.at("imag")));
    return number_for(IValue(number), formal);
  }
  if (kind == "as_string") return IValue(value.get<std::string>());
  if (kind == "as_scalar_type")
    return IValue(static_cast<int64_t>(scalar_type_from_export(json_integer(value))));
  if (kind == "as_layout") return IValue(static_cast<int64_t>(layout_from_export(json_integer(value))));
  if (kind == "as_memory_format")
    return IValue(static_cast<int64_t>(memory_format_from_export(json_integer(value))));
  if (kind == "as_device") return IValue(device);
  const bool is_list = kind == "as_ints" || kind == "as_floats" || kind == "as_bools" || kind == "as_strings";
  if (is_list) return list_for(field, formal);
  return std::nullopt;
}

}  // namespace faultwave::detail
