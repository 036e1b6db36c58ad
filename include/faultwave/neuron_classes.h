// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#pragma GCC visibility push(default)
namespace faultwave {

/// What a stratified campaign knows of its victims before it tries any (docs/statistics.md): a small number,
/// the class, for each value of each site on each input, and a level for each input. Kept as made once, since
/// another machine may compute values that differ in the last bit, and a draw must not. Takes about five bits
/// a value. Thread-safe once all inputs are added.
class NeuronClasses {
 public:
  static constexpr int kMost = 16;
  /// Classes as a set: bit c stands for class c.
  using Set = uint16_t;
  static constexpr Set kAll = 0xffff;
  static constexpr bool holds(Set classes, int number) { return (classes >> number & 1) != 0; }
  /// Classes of one site on one input, two a byte, the first in the lower half; as stored in databases.
  using Packed = std::vector<uint8_t>;

  /// `values`: of each site, for one input.
  explicit NeuronClasses(std::vector<int64_t> values);

  /// The next input, in ascending order of levels, with the classes of all sites. Throws InternalError for a
  /// level below the last, or a wrong number of sites or values.
  void add_input(int64_t number, int level, std::vector<Packed> sites);
  /// One class, under kMost, for each value of a site.
  static Packed pack(const std::vector<uint8_t>& classes);

  /// Inputs have positions in the order in which they were added.
  int64_t inputs() const { return static_cast<int64_t>(inputs_.size()); }
  int64_t number(int64_t position) const { return at(position).number; }
  int level(int64_t position) const { return at(position).level; }
  /// The position of an input, by its number. Throws InternalError if it was not added.
  int64_t position(int64_t number) const;
  /// The position of the first input of this level or a higher one; inputs() if there is none.
  int64_t first_of_level(int level) const;
  /// One more than the highest level.
  int levels() const { return inputs_.empty() ? 0 : inputs_.back().level + 1; }

  size_t sites() const { return values_.size(); }
  int64_t values(size_t site) const { return values_[site]; }
  const Packed& packed(int64_t position, size_t site) const { return at(position).sites[site].packed; }
  /// The class of one value.
  int of(int64_t position, size_t site, int64_t element) const;

  /// The values of a site, on a range of inputs, whose class is in a set.
  struct Selection {
    size_t site = 0;
    Set classes = kAll;
    int64_t first = 0;  ///< position
    int64_t end = 0;    ///< one behind the last
  };
  int64_t count(const Selection& selection) const;
  struct Neuron {
    int64_t position = 0;
    int64_t element = 0;  ///< row-major, in the site's element shape
  };
  /// Value `number` of count(selection), in order of input and element. Well under a microsecond, but for
  /// memory that is not in the cache.
  Neuron pick(const Selection& selection, int64_t number) const;

 private:
  using Counts = std::array<int64_t, kMost>;
  using BlockCounts = std::array<uint32_t, kMost>;
  struct SiteClasses {
    Packed packed;
    std::vector<BlockCounts> before;  // of each block of values, and of all at the end
    Counts before_input{};            // on the inputs before this one
  };
  struct Input {
    int64_t number = 0;
    int level = 0;
    std::vector<SiteClasses> sites;
  };

  const Input& at(int64_t position) const { return inputs_[static_cast<size_t>(position)]; }
  /// On the inputs before a position.
  int64_t count_before(int64_t position, size_t site, Set classes) const;

  std::vector<int64_t> values_;
  std::vector<Input> inputs_;
  std::vector<Counts> totals_;  // of each site
};

}  // namespace faultwave
#pragma GCC visibility pop
