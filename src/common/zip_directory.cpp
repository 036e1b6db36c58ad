// SPDX-License-Identifier: Apache-2.0
// The format is that of PKWARE's APPNOTE.TXT 6.3.10; the numbers of sections are given below.
#include "src/common/zip_directory.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "src/common/plain_text.h"

namespace faultwave {
namespace {

constexpr uint64_t kMostTimes = 32;                   // bytes unpacked for a byte of the file, and
constexpr uint64_t kMostBeside = uint64_t{64} << 20;  // so many besides
constexpr uint16_t kStored = 0;
constexpr uint16_t kDeflated = 8;
constexpr uint16_t kIsEncrypted = 1 << 0;
constexpr uint16_t kIsDescribedBehind = 1
                                        << 3;  // sizes and sum stand behind the data, and only there for sure
constexpr uint16_t kIsPatch = 1 << 5;
constexpr uint16_t kIsStronglyEncrypted = 1 << 6;
constexpr uint64_t kSmall = 0xFFFFFFFF;  // in place of a number that does not fit 32 bits

[[noreturn]] void damaged(const InputFile& file, const std::string& why) {
  cannot_read(file.path(), "the archive is damaged or incomplete: " + why);
}

/// Little-endian numbers at places of a text, which has them.
uint64_t number_at(std::string_view text, size_t place, size_t bytes) {
  uint64_t number = 0;
  for (size_t i = bytes; i-- > 0;)
    number = number << 8 | static_cast<uint8_t>(text.at(place + i));
  return number;
}

/// Where the directory lies, and how many records it has.
struct Place {
  uint64_t records = 0;
  uint64_t bytes = 0;
  uint64_t offset = 0;
  uint64_t end = 0;  // where what follows it begins
};

constexpr uint64_t kEndBytes = 22;
constexpr uint64_t kLocatorBytes = 20;
constexpr uint64_t kLargeEndBytes = 56;

/// The end record of an archive with 64-bit numbers (4.3.14), which a locator (4.3.15) before the end record
/// points to.
std::optional<Place> find_large_end(InputFile& file, const Place& small) {
  if (file.size() < kEndBytes + kLocatorBytes) return std::nullopt;
  const std::string locator = file.text(file.size() - kEndBytes - kLocatorBytes, kLocatorBytes);
  if (!locator.starts_with("PK\x06\x07")) return std::nullopt;
  const uint64_t offset = number_at(locator, 8, 8);
  if (offset > file.size() - kEndBytes - kLocatorBytes) damaged(file, "its end lies outside of the file");
  const std::string end = file.text(offset, std::min(kLargeEndBytes, file.size() - offset));
  if (end.size() < kLargeEndBytes || !end.starts_with("PK\x06\x06")) damaged(file, "it has no end record");
  const Place place{.records = number_at(end, 32, 8),
                    .bytes = number_at(end, 40, 8),
                    .offset = number_at(end, 48, 8),
                    .end = offset};
  const auto agrees = [](uint64_t there, uint64_t here, uint64_t too_large) {
    return here == there || here == too_large;
  };
  const bool is_same = agrees(place.records, small.records, 0xFFFF) &&
                       agrees(place.bytes, small.bytes, kSmall) && agrees(place.offset, small.offset, kSmall);
  if (!is_same) damaged(file, "its end records contradict each other");
  return place;
}

/// The end record (4.3.16) is the last of the file.
Place find_directory(InputFile& file) {
  if (file.size() < kEndBytes) damaged(file, "it ends too early");
  const std::string end = file.text(file.size() - kEndBytes, kEndBytes);
  if (!end.starts_with("PK\x05\x06") || number_at(end, 20, 2) != 0) damaged(file, "it has no end record");
  const Place small{.records = number_at(end, 10, 2),
                    .bytes = number_at(end, 12, 4),
                    .offset = number_at(end, 16, 4),
                    .end = file.size() - kEndBytes};
  const Place place = find_large_end(file, small).value_or(small);
  if (place.offset > place.end || place.bytes > place.end - place.offset)
    damaged(file, "its directory lies outside of the file");
  return place;
}

/// Numbers of a record that did not fit 32 bits stand in an extra field (4.5.3), in this order.
void read_large_numbers(const InputFile& file, std::string_view extra, ZipRecord& record) {
  constexpr uint16_t large_numbers = 1;
  while (extra.size() >= 4) {
    const uint64_t kind = number_at(extra, 0, 2);
    const uint64_t length = number_at(extra, 2, 2);
    if (length > extra.size() - 4) break;
    std::string_view field = extra.substr(4, length);
    extra.remove_prefix(4 + length);
    if (kind != large_numbers) continue;
    for (uint64_t* number : {&record.bytes, &record.packed_bytes, &record.offset}) {
      if (*number != kSmall) continue;
      if (field.size() < 8) damaged(file, "a record's size is missing");
      *number = number_at(field, 0, 8);
      field.remove_prefix(8);
    }
    return;
  }
}

void check_way(const InputFile& file, const ZipRecord& record, uint64_t flags, uint64_t method) {
  const std::string name = "'" + printable(record.name) + "'";
  if ((flags & (kIsEncrypted | kIsPatch | kIsStronglyEncrypted)) != 0)
    damaged(file, name + " is marked as encrypted or as a patch");
  if (method != kStored && method != kDeflated)
    damaged(file, name + " is packed in way " + std::to_string(method) + ", which PyTorch does not have");
  if (method == kStored && record.packed_bytes != record.bytes)
    damaged(file, name + " has two sizes, though it is not compressed");
}

/// Entries of the directory (4.3.12), with lengths that the directory has.
std::vector<ZipRecord> read_entries(InputFile& file, const Place& place) {
  constexpr size_t fixed = 46;
  const std::string text = file.text(place.offset, place.bytes);
  std::string_view rest = text;
  std::vector<ZipRecord> records;
  while (!rest.empty()) {
    if (rest.size() < fixed || !rest.starts_with("PK\x01\x02")) damaged(file, "its directory is cut");
    const uint64_t name_length = number_at(rest, 28, 2);
    const uint64_t extra_length = number_at(rest, 30, 2);
    const uint64_t whole = fixed + name_length + extra_length + number_at(rest, 32, 2);
    if (whole > rest.size()) damaged(file, "its directory is cut");
    const uint64_t method = number_at(rest, 10, 2);
    ZipRecord record{.name = std::string(rest.substr(fixed, name_length)),
                     .is_compressed = method == kDeflated,
                     .check_sum = static_cast<uint32_t>(number_at(rest, 16, 4)),
                     .packed_bytes = number_at(rest, 20, 4),
                     .bytes = number_at(rest, 24, 4),
                     .offset = number_at(rest, 42, 4)};
    read_large_numbers(file, rest.substr(fixed + name_length, extra_length), record);
    check_way(file, record, number_at(rest, 8, 2), method);
    records.push_back(std::move(record));
    rest.remove_prefix(whole);
  }
  if (records.size() != place.records)
    damaged(file, "its directory has another number of records than it says");
  return records;
}

/// One folder for all, and a name of its own for each.
void check_names(const InputFile& file, const std::vector<ZipRecord>& records) {
  if (records.empty()) damaged(file, "it holds no records");
  const std::string folder = records.front().name.substr(0, records.front().name.find('/') + 1);
  std::set<std::string_view> names;
  for (const ZipRecord& record : records) {
    const std::string name = "'" + shortened(record.name, 100) + "'";
    if (record.name.find('\0') != std::string::npos || folder.empty() || !record.name.starts_with(folder))
      damaged(file, name + " does not lie in the folder that all of an archive of PyTorch lies in");
    if (!names.insert(record.name).second) damaged(file, name + " is there twice");
  }
}

/// Where a record ends, as its own header (4.3.7) says, which must say what the directory says.
uint64_t checked_end(InputFile& file, const ZipRecord& record, uint64_t limit) {
  constexpr uint64_t fixed = 30;
  const std::string name = "'" + shortened(record.name, 100) + "'";
  if (record.offset > limit || limit - record.offset < fixed)
    damaged(file, name + " lies outside of the file");
  const std::string header = file.text(record.offset, fixed);
  const uint64_t name_length = number_at(header, 26, 2);
  const uint64_t before_data = fixed + name_length + number_at(header, 28, 2);
  const uint64_t method = record.is_compressed ? kDeflated : kStored;
  const bool is_described_here = (number_at(header, 6, 2) & kIsDescribedBehind) == 0;
  const bool is_same = header.starts_with("PK\x03\x04") && number_at(header, 8, 2) == method &&
                       (!is_described_here || number_at(header, 14, 4) == record.check_sum) &&
                       name_length == record.name.size() && limit - record.offset >= before_data &&
                       file.text(record.offset + fixed, name_length) == record.name;
  if (!is_same) damaged(file, "the directory and the header of " + name + " contradict each other");
  if (record.packed_bytes > limit - record.offset - before_data)
    damaged(file, name + " lies outside of the file");
  return record.offset + before_data + record.packed_bytes;
}

void check_places(InputFile& file, const std::vector<ZipRecord>& records, uint64_t limit) {
  std::vector<const ZipRecord*> in_order;
  for (const ZipRecord& record : records)
    in_order.push_back(&record);
  std::sort(in_order.begin(), in_order.end(),
            [](const ZipRecord* a, const ZipRecord* b) { return a->offset < b->offset; });
  uint64_t end = 0;
  for (const ZipRecord* record : in_order) {
    if (record->offset < end)
      damaged(file, "'" + shortened(record->name, 100) + "' overlaps with another record");
    end = checked_end(file, *record, limit);
  }
}

void check_unpacked(const InputFile& file, const std::vector<ZipRecord>& records) {
  const uint64_t most = kMostBeside + kMostTimes * file.size();
  uint64_t sum = 0;
  for (const ZipRecord& record : records) {
    if (record.bytes <= most - sum) {
      sum += record.bytes;
      continue;
    }
    cannot_read(file.path(), "its " + std::to_string(file.size()) + " bytes would unpack to more than " +
                                 std::to_string(most) +
                                 "; if that is meant, pack it again without compression, as PyTorch does");
  }
}

}  // namespace

std::vector<ZipRecord> read_zip_directory(InputFile& file) {
  const Place place = find_directory(file);
  std::vector<ZipRecord> records = read_entries(file, place);
  check_names(file, records);
  check_places(file, records, place.offset);
  check_unpacked(file, records);
  return records;
}

}  // namespace faultwave
