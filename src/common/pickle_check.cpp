// SPDX-License-Identifier: Apache-2.0
// The opcodes of protocol 2 (Python's pickletools.py) that libtorch's unpickler knows.
#include "src/common/pickle_check.h"

#include <c10/core/ScalarType.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "src/common/storage_extent.h"

namespace faultwave {
namespace {

constexpr size_t kDeepest = 1000;  // nested containers

/// What is known of a value on the unpickler's stack.
struct Value {
  enum class Kind : uint8_t {
    none,
    boolean,
    integer,
    real,
    text,
    tuple,
    list,
    dict,
    global,
    storage,
    tensor,
    other
  };
  Kind kind = Kind::other;
  bool is_placed = false;  // within another value; then it may not grow any more, so that none holds itself
  size_t depth = 0;        // of containers in it
  int64_t number = 0;      // of an integer; elements of a storage
  std::string_view text;   // of a text; "module name" and
  std::string_view name;   // the name in it, of a global
  std::vector<Value*> items;   // of a tuple or list; keys and values in turn, of a dict
  std::vector<int64_t> sizes;  // of a tensor
};
using Kind = Value::Kind;

struct Fault {
  std::string why;
};

[[noreturn]] void fail(const std::string& why) {
  throw Fault{why};
}

/// The type of "FloatStorage".
std::optional<at::ScalarType> storage_type(std::string_view name) {
  constexpr std::string_view ending = "Storage";
  if (!name.ends_with(ending)) return std::nullopt;
  name.remove_suffix(ending.size());
  for (int number = 0; number < static_cast<int>(at::ScalarType::NumOptions); ++number) {
    const auto type = static_cast<at::ScalarType>(number);
    if (type != at::ScalarType::Undefined && name == c10::toString(type)) return type;
  }
  return std::nullopt;
}

class PickleMachine {
 public:
  using StorageBytes = std::function<std::optional<uint64_t>(const std::string&)>;

  PickleMachine(std::string_view pickle, const StorageBytes& storage_bytes)
      : pickle_(pickle), storage_bytes_(storage_bytes) {}

  void run() {
    if (take(2) != "\x80\x02") fail("it does not begin as a pickle of PyTorch");
    while (step(take(1)[0])) {
    }
    if (stack_.size() != 1 || !marks_.empty()) fail("it holds other than one value");
  }

 private:
  // The bytes.
  std::string_view take(uint64_t bytes) {
    if (bytes > pickle_.size() - at_)
      fail("it says that " + std::to_string(bytes) + " bytes follow where it ends");
    at_ += bytes;
    return pickle_.substr(at_ - bytes, bytes);
  }

  template <typename Number>
  Number number() {
    Number value{};
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }

  /// Up to a line end; libtorch reads on for ever where none comes.
  std::string_view line() {
    const size_t end = pickle_.find('\n', at_);
    if (end == std::string_view::npos) fail("a name in it does not end");
    const std::string_view text = take(end - at_);
    take(1);
    const auto is_in_name = [](char c) {
      return c == '_' || c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
             (c >= 'A' && c <= 'Z') || (c & 0x80) != 0;
    };
    if (!std::all_of(text.begin(), text.end(), is_in_name)) fail("a name in it is none of Python");
    return text;
  }

  // The stack.
  Value& push(Kind kind) {
    values_.emplace_back().kind = kind;
    stack_.push_back(&values_.back());
    return values_.back();
  }

  Value& top() {
    if (stack_.size() <= bottom()) fail("a value is missing in it");
    return *stack_.back();
  }

  Value& pop() {
    Value& value = top();
    stack_.pop_back();
    return value;
  }

  /// What lies under a mark is not for those above it.
  size_t bottom() const { return marks_.empty() ? 0 : marks_.back(); }

  /// The values from the last mark on.
  std::vector<Value*> pop_marked() {
    if (marks_.empty()) fail("a mark is missing in it");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Value*> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }

  void place(Value& container, const std::vector<Value*>& items) {
    if (container.is_placed && !items.empty()) fail("a container grows after its use in it");
    for (Value* item : items) {
      item->is_placed = true;
      container.depth = std::max(container.depth, item->depth + 1);
      container.items.push_back(item);
    }
    if (container.depth > kDeepest) fail("its values are nested too deep");
    if (std::find(items.begin(), items.end(), &container) != items.end())
      fail("a container in it holds itself");
  }

  void push_tuple(size_t count) {
    std::vector<Value*> items(count);
    for (size_t i = count; i-- > 0;)
      items[i] = &pop();
    place(push(Kind::tuple), items);
  }

  void extend(Kind kind, const std::vector<Value*>& items) {
    Value& container = top();
    if (container.kind != kind && container.kind != Kind::other)
      fail("it adds to what is no container of its kind");
    if (kind == Kind::dict && items.size() % 2 != 0) fail("a key in it has no value");
    place(container, items);
  }

  // Opcodes.
  /// False at the end.
  bool step(char opcode) {
    switch (opcode) {
      case '.':
        return false;
      case '(':
        marks_.push_back(stack_.size());
        break;
      case 't':
      case 'l':
      case 'd': {
        const std::vector<Value*> items = pop_marked();
        if (opcode == 'd' && items.size() % 2 != 0) fail("a key in it has no value");
        place(push(opcode == 't' ? Kind::tuple : opcode == 'l' ? Kind::list : Kind::dict), items);
        break;
      }
      case ')':
        push(Kind::tuple);
        break;
      case '\x85':
      case '\x86':
      case '\x87':
        push_tuple(static_cast<size_t>(opcode - '\x84'));
        break;
      case ']':
        push(Kind::list);
        break;
      case '}':
        push(Kind::dict);
        break;
      case 'a':
        extend(Kind::list, {&pop()});
        break;
      case 'e':
        extend(Kind::list, pop_marked());
        break;
      case 's': {
        Value& value = pop();
        Value& key = pop();
        extend(Kind::dict, {&key, &value});
        break;
      }
      case 'u':
        extend(Kind::dict, pop_marked());
        break;
      default:
        step_scalar(opcode);
    }
    return true;
  }

  void step_scalar(char opcode) {
    switch (opcode) {
      case 'N':
        push(Kind::none);
        break;
      case '\x88':
      case '\x89':
        push(Kind::boolean);
        break;
      case 'K':
        push(Kind::integer).number = number<uint8_t>();
        break;
      case 'M':
        push(Kind::integer).number = number<uint16_t>();
        break;
      case 'J':
        push(Kind::integer).number = number<int32_t>();
        break;
      case '\x8a':
        if (number<uint8_t>() != sizeof(int64_t)) fail("a number in it has other than 64 bits");
        push(Kind::integer).number = number<int64_t>();
        break;
      case 'G':
        take(sizeof(double));
        push(Kind::real);
        break;
      case 'X':
        push(Kind::text).text = take(number<uint32_t>());
        break;
      default:
        step_reference(opcode);
    }
  }

  void step_reference(char opcode) {
    switch (opcode) {
      case 'q':
        remember(number<uint8_t>());
        break;
      case 'r':
        remember(number<uint32_t>());
        break;
      case 'h':
        recall(number<uint8_t>());
        break;
      case 'j':
        recall(number<uint32_t>());
        break;
      case 'c': {
        Value& global = push(Kind::global);
        global.text = line();
        global.name = line();
        break;
      }
      case '\x81':  // makes an object, which libtorch does when its state comes
        if (pop().kind != Kind::tuple || top().kind != Kind::global)
          fail("it makes an object of what is no class");
        break;
      case 'R':
      case 'b':
        call();
        break;
      case 'Q':
        push_storage();
        break;
      default:
        fail("it has an instruction that PyTorch does not write");
    }
  }

  /// libtorch keeps a table up to the largest number. Each instruction numbers at most one more value.
  void remember(uint64_t number) {
    if (number > pickle_.size()) fail("it numbers a value with " + std::to_string(number));
    memo_[number] = &top();
  }

  void recall(uint64_t number) {
    const auto found = memo_.find(number);
    if (found == memo_.end()) fail("it uses a value that it does not have");
    stack_.push_back(found->second);
  }

  void call() {
    Value& argument = pop();
    Value& function = pop();
    if (function.kind != Kind::global && function.kind != Kind::other) fail("it calls what is no function");
    argument.is_placed = true;
    stack_.push_back(&result(function, argument));
  }

  Value& make(Kind kind, const Value& from) {
    values_.emplace_back().kind = kind;
    values_.back().depth = from.depth + 1;
    if (from.depth + 1 > kDeepest) fail("its values are nested too deep");
    return values_.back();
  }

  /// What libtorch does not know it refuses by name; here it is `other`.
  Value& result(const Value& function, Value& argument) {
    if (function.text == "torch._utils" || function.text == "torch._tensor") {
      if (argument.kind != Kind::tuple) fail("it makes a tensor from other than a tuple");
      return rebuilt(function, argument.items, argument);
    }
    if (function.text == "torch.jit._pickle") return container(function.name, argument);
    return make(Kind::other, argument);
  }

  /// Containers that get the type of their elements: the result is the container itself.
  Value& container(std::string_view name, Value& argument) {
    if (argument.kind != Kind::tuple || argument.items.empty()) fail("it calls a function without arguments");
    Value& first = *argument.items[0];
    if (name == "restore_type_tag") {
      if (argument.items.size() != 2 || argument.items[1]->kind != Kind::text)
        fail("a container in it has no type");
      const std::string_view type = argument.items[1]->text;
      if (std::count(type.begin(), type.end(), '[') > 100) fail("a type in it is nested too deep");
      if (first.kind != Kind::list && first.kind != Kind::dict)
        fail("it gives a container's type to a value");
      return first;
    }
    static const std::map<std::string_view, Kind> element_kinds = {{"build_intlist", Kind::integer},
                                                                   {"build_tensorlist", Kind::tensor},
                                                                   {"build_doublelist", Kind::real},
                                                                   {"build_boollist", Kind::boolean}};
    const auto wanted = element_kinds.find(name);
    if (wanted == element_kinds.end()) return make(Kind::other, argument);
    const auto fits = [&](const Value* item) { return item->kind == wanted->second; };
    if (first.kind != Kind::list || !std::all_of(first.items.begin(), first.items.end(), fits))
      fail("a list in it holds values of another type than it says");
    return first;
  }

  // Tensors.
  void push_storage() {
    const Value& id = pop();
    const auto& parts = id.items;
    const bool is_storage = id.kind == Kind::tuple && parts.size() >= 5 && parts[0]->kind == Kind::text &&
                            parts[0]->text == "storage" && parts[1]->kind == Kind::global &&
                            parts[2]->kind == Kind::text && parts[3]->kind == Kind::text &&
                            parts[4]->kind == Kind::integer;
    if (!is_storage) fail("it refers to a storage in a way that PyTorch does not");
    const auto type = parts[1]->text == "torch" ? storage_type(parts[1]->name) : std::nullopt;
    if (!type) {  // which libtorch refuses by name
      push(Kind::other);
      return;
    }
    const int64_t elements = parts[4]->number;
    const std::string key(parts[2]->text);
    const auto bytes = storage_bytes_(key);
    const uint64_t room = bytes.value_or(0) / c10::elementSize(*type);
    if (elements < 0 || static_cast<uint64_t>(elements) > room || (elements > 0 && !bytes))
      fail("a tensor reaches beyond its data: a storage of " + std::to_string(elements) + " values has " +
           std::to_string(bytes.value_or(0)) + " bytes");
    push(Kind::storage).number = elements;
  }

  Value& rebuilt(const Value& function, const std::vector<Value*>& arguments, const Value& argument) {
    const std::string_view name = function.name;
    if (name == "_rebuild_tensor_v2") return rebuilt_tensor(arguments, argument);
    if (name == "_rebuild_qtensor") {
      Value& tensor = rebuilt_tensor(arguments, argument);
      if (tensor.kind == Kind::tensor) check_quantisation(arguments, tensor);
      return tensor;
    }
    if (name == "_rebuild_parameter" && !arguments.empty()) return *arguments[0];
    if (name == "_rebuild_from_type_v2" && arguments.size() >= 3 && arguments[0]->kind == Kind::global &&
        arguments[2]->kind == Kind::tuple) {
      return result(*arguments[0], *arguments[2]);
    }
    if (name == "_rebuild_sparse_tensor") return make(Kind::tensor, argument);
    return make(Kind::other, argument);
  }

  static std::vector<int64_t> integers(const Value& tuple) {
    if (tuple.kind != Kind::tuple) fail("the shape of a tensor in it is none");
    std::vector<int64_t> numbers;
    for (const Value* item : tuple.items) {
      if (item->kind != Kind::integer) fail("the shape of a tensor in it is none");
      numbers.push_back(item->number);
    }
    return numbers;
  }

  Value& rebuilt_tensor(const std::vector<Value*>& arguments, const Value& argument) {
    if (arguments.size() < 4 || arguments[1]->kind != Kind::integer) fail("a tensor in it lacks its shape");
    if (arguments[0]->kind == Kind::other) return make(Kind::other, argument);
    if (arguments[0]->kind != Kind::storage) fail("a tensor in it has no storage");
    const std::vector<int64_t> sizes = integers(*arguments[2]);
    const auto extent = storage_extent(sizes, integers(*arguments[3]), arguments[1]->number);
    if (!extent || *extent > arguments[0]->number) fail("a tensor reaches beyond its data");
    Value& tensor = make(Kind::tensor, argument);
    tensor.sizes = sizes;
    return tensor;
  }

  /// (scheme, scale, zero point), or (scheme, scales, zero points, axis) with a scale for each position of
  /// the axis.
  static void check_quantisation(const std::vector<Value*>& arguments, const Value& tensor) {
    if (arguments.size() < 5 || arguments[4]->kind != Kind::tuple || arguments[4]->items.size() < 3)
      fail("a quantised tensor in it lacks its scale");
    const std::vector<Value*>& parts = arguments[4]->items;
    if (parts[1]->kind == Kind::real && parts[2]->kind == Kind::integer) return;
    const bool is_by_channel = parts.size() == 4 && parts[1]->kind == Kind::tensor &&
                               parts[2]->kind == Kind::tensor && parts[3]->kind == Kind::integer &&
                               parts[3]->number >= 0 &&
                               parts[3]->number < static_cast<int64_t>(tensor.sizes.size());
    if (!is_by_channel) fail("a quantised tensor in it lacks its scale");
    const std::vector<int64_t> channels = {tensor.sizes[static_cast<size_t>(parts[3]->number)]};
    if (parts[1]->sizes != channels || parts[2]->sizes != channels)
      fail("a quantised tensor in it has another number of scales than of channels");
  }

  std::string_view pickle_;
  const StorageBytes& storage_bytes_;
  size_t at_ = 0;
  std::deque<Value> values_;  // all, so that pointers to them stay
  std::vector<Value*> stack_;
  std::vector<size_t> marks_;
  std::map<uint64_t, Value*> memo_;
};

}  // namespace

std::string pickle_fault(std::string_view pickle,
                         const std::function<std::optional<uint64_t>(const std::string&)>& storage_bytes) {
  try {
    PickleMachine(pickle, storage_bytes).run();
  } catch (const Fault& fault) {
    return fault.why;
  }
  return "";
}

}  // namespace faultwave
