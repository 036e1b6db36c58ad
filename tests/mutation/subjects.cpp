// SPDX-License-Identifier: Apache-2.0
#include "tests/mutation/subjects.h"

#include <ATen/ATen.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "faultwave/campaign.h"
#include "faultwave/inputs.h"

#include "tests/cli/tiny_campaign.h"
#include "tests/data/image_writer.h"
#include "tests/mutation/attempt.h"
#include "tests/mutation/mutate.h"
#include "tests/mutation/sandbox.h"

namespace faultwave::mutation {
namespace {

namespace fs = std::filesystem;

std::string test_data(const std::string& name) {
  const char* folder = std::getenv("FAULTWAVE_TEST_DATA");
  if (folder == nullptr) throw std::runtime_error("run this test with ctest, which sets FAULTWAVE_TEST_DATA");
  return std::string(folder) + "/" + name;
}

std::string file_name(const std::string& path) {
  return fs::path(path).filename().string();
}

Subject bytes(const std::string& path, void (*attempt)(const std::string&), bool runs_code = false) {
  const auto spoil = [path](const TempFolder& folder, Draw& draw) {
    const std::string copy = folder / file_name(path);
    write_file(copy, mutated(read_file(path), draw));
    return copy;
  };
  return {file_name(path), path, spoil, attempt, runs_code};
}

Subject archive(const std::string& path, void (*attempt)(const std::string&), bool runs_code = false) {
  const auto spoil = [path](const TempFolder& folder, Draw& draw) {
    const std::string copy = folder / file_name(path);
    write_file(copy, mutated_archive(path, draw));
    return copy;
  };
  return {file_name(path) + " with sums that fit", path, spoil, attempt, runs_code};
}

constexpr uint64_t kCampaignRoom = 4096;  // MB

/// A campaign in a folder, of which some blocks are done.
void make_campaign(const std::string& folder, const std::string& specification) {
  save_tiny_network(folder + "/net.pt");
  save_npy(folder + "/images.npy", (at::arange(80) * 7 % 13 - 6).to(at::kFloat).reshape({5, 1, 4, 4}) / 4);
  write_file(folder + "/spec.toml", specification);
  const Specification spec = load_specification(folder + "/spec.toml");
  const Campaign campaign = open_campaign(spec);
  Store store = Store::create(folder + "/a.db", campaign.info(spec, folder + "/spec.toml"));
  std::atomic<bool> cancel{false};
  int reports = 0;
  campaign.run(store, when(cancel), [&](const Progress&) { cancel = ++reports > 8; });
}

/// A copy of the database; the campaign's other files stay where they are, which the database says.
Subject database(const std::string& origin, bool by_value, void (*attempt)(const std::string&),
                 bool runs_code) {
  const auto spoil = [origin, by_value](const TempFolder& folder, Draw& draw) {
    const std::string copy = folder / "a.db";
    fs::copy_file(origin + "/a.db", copy, fs::copy_options::overwrite_existing);
    if (by_value) {
      mutate_database(copy, draw);
    } else {
      write_file(copy, mutated(read_file(copy), draw));
    }
    return copy;
  };
  return {std::string("a.db") + (by_value ? " by value" : "") + (runs_code ? " resumed" : ""),
          origin + "/a.db", spoil, attempt, runs_code};
}

const std::string kFaultLine =
    "weight:\"a b.conv1\"[3,*,1:4,0]@2 flip(30)#77; output:layer1.0/relu[ch=17]@each scale(0.5); input:x[?] "
    "stuck1(3)%5:8#1; output-gradient:fc[7] zero%2";

const std::string kSpecification = R"toml(model  = "net.pt"
input  = "images.npy"
labels = "labels.npy"
seed   = 1
trials = 60
batch  = 4
block  = 16
engine = "direct"
audit  = 0.01
dtype  = "float32"
criteria = ["top1", "confidence(0.2)", "differs(0.01)"]
[preprocess]
resize = 256
mean   = [0.485, 0.456, 0.406]
[stop]
half_width = 0.01
[fault]
kind   = "output"
sites  = ["*", "layer1.*"]
error  = "flip"
draw   = "stratified"
)toml";

std::string stratified() {
  std::string text = tiny_specification;
  return text.replace(text.find("\"layers\""), 8, "\"stratified\"");
}

}  // namespace

std::vector<Subject> all_subjects(const TempFolder& originals) {
  write_file(originals / "fault.txt", kFaultLine);
  write_file(originals / "spec.toml", kSpecification);
  std::vector<Subject> subjects = {
      bytes(originals / "fault.txt", try_fault_line),
      bytes(originals / "spec.toml", try_specification),
  };
  for (const char* name : {"inputs/f4.npy", "inputs/fortran.npy", "inputs/single.safetensors",
                           "inputs/float32.pt", "inputs/tuple.pt"})
    subjects.push_back(bytes(test_data(name), try_tensor));
  for (const char* name : {"inputs/float32.pt", "inputs/slice.pt", "inputs/dictionary.pt"})
    subjects.push_back(archive(test_data(name), try_tensor));
  for (const char* name : {"residual.pt2", "traced.pt", "quantised.pt", "frozen.pt"})
    subjects.push_back(bytes(test_data(name), try_network));
  for (const char* name : {"residual.pt2", "constants.pt2", "attention.pt2", "lstm.pt2", "long_tail.pt2",
                           "traced.pt", "frozen.pt", "quantised.pt"}) {
    subjects.push_back(archive(test_data(name), try_network));
    subjects.push_back(archive(test_data(name), try_running, /*runs_code=*/true));
  }
  write_png(originals / "image.png", plain_image(20, 30, 200, 100, 50));
  write_jpeg(originals / "image.jpg", plain_image(20, 30, 200, 100, 50));
  subjects.push_back(bytes(originals / "image.png", try_image));
  subjects.push_back(bytes(originals / "image.jpg", try_image));
  for (const std::string name : {"uniform", "stratified"}) {
    fs::create_directory(originals / name);
    const std::string folder = originals / name;
    const std::string text = name == "uniform" ? tiny_specification : stratified();
    // In a process of its own, since it starts threads.
    const Verdict made = in_sandbox([&] { make_campaign(folder, text); }, kCampaignRoom, 600);
    if (made.kind != Verdict::Kind::read) throw std::runtime_error("no campaign: " + made.message);
    subjects.push_back(database(folder, /*by_value=*/false, try_database, false));
    subjects.push_back(database(folder, /*by_value=*/true, try_database, false));
    subjects.push_back(database(folder, /*by_value=*/true, try_resuming, true));
  }
  return subjects;
}

}  // namespace faultwave::mutation
