// SPDX-License-Identifier: Apache-2.0
#include "src/model/loop_recorder.h"

#include <algorithm>
#include <utility>

#include "src/model/call_alignment.h"

namespace faultwave::detail {

LoopRecorder::LoopRecorder(const Profile& profile)
    : profile_(profile), tracker_(profile), recorder_(profile.stored(), {}, {}, /*measure=*/false) {}

void LoopRecorder::on_call(intercept::OperatorCall& call) {
  const size_t position = recorder_.size();
  const ProfiledCall* profiled = tracker_.match(call);
  Seen seen;
  seen.forward = tracker_.forward();
  if (profiled != nullptr) {
    seen.number = static_cast<int>(tracker_.number());
    seen.is_anchor = !profiled->stored.empty();
  }
  seen_.resize(position + 1);
  seen_[position] = seen;
  recorder_.on_call(call);
}

void LoopRecorder::align(const std::vector<RecordedCall>& profile) {
  calls_ = recorder_.take();
  seen_.resize(calls_.size());
  std::vector<size_t> anchors;
  for (size_t i = 0; i < calls_.size(); ++i) {
    if (seen_[i].is_anchor) anchors.push_back(i);
  }
  size_t begin = 0;
  while (begin < anchors.size()) {
    const int64_t forward = seen_[anchors[begin]].forward;
    CallAlignment alignment(profile, calls_, anchors[begin]);
    alignment.set(anchors[begin], seen_[anchors[begin]].number);
    size_t next = begin + 1;
    for (; next < anchors.size() && seen_[anchors[next]].forward == forward; ++next) {
      align_between(profile, anchors[next - 1], anchors[next], alignment);
      alignment.set(anchors[next], seen_[anchors[next]].number);
    }
    begin = next;
  }
}

void LoopRecorder::align_between(const std::vector<RecordedCall>& profile, size_t from, size_t to,
                                 CallAlignment& alignment) {
  const auto before = static_cast<size_t>(seen_[from].number);
  const std::vector<int> numbers =
      alignment.align(before + 1, static_cast<size_t>(seen_[to].number), from + 1, to);
  Way way;
  for (size_t i = 0; i < numbers.size(); ++i) {
    const size_t call = from + 1 + i;
    const auto reads_stored = [](const RecordedTensor& tensor) {
      return tensor.stored != StoredTensors::none;
    };
    const std::vector<RecordedTensor>& arguments = calls_[call].arguments;
    if (std::any_of(arguments.begin(), arguments.end(), reads_stored)) continue;
    seen_[call].number = numbers[i];
    way.push_back({calls_[call].op, numbers[i]});
  }
  std::vector<Way>& known = ways_[before];
  if (std::find(known.begin(), known.end(), way) == known.end()) known.push_back(std::move(way));
}

}  // namespace faultwave::detail
