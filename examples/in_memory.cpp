// SPDX-License-Identifier: Apache-2.0
// An experiment without files: a transformer encoder over token ids and a mask, both in memory.
//
//     in_memory [NETWORK.pt2 IDS.npy [MORE.npy ...]]
//
// runs it on a network from a file, and tensors for its inputs, in place of the small one that is made here.
#include <torch/torch.h>

#include <iostream>

#include <faultwave/faultwave.h>

namespace {

/// Token ids [N, tokens] and a mask [N, tokens], true where there is a token, to scores [N, 4].
struct EncoderImpl : torch::nn::Module {
  EncoderImpl()
      : embedding(register_module("embedding", torch::nn::Embedding(100, 32))),
        encoder(register_module("encoder", torch::nn::TransformerEncoder(torch::nn::TransformerEncoderOptions(
                                               torch::nn::TransformerEncoderLayerOptions(32, 4), 2)))),
        head(register_module("head", torch::nn::Linear(32, 4))) {}

  torch::Tensor forward(const torch::Tensor& ids, const torch::Tensor& mask) {
    const torch::Tensor tokens = embedding(ids).transpose(0, 1);
    const torch::Tensor hidden = encoder->forward(tokens, {}, mask.logical_not()).transpose(0, 1);
    const torch::Tensor weights = mask.unsqueeze(-1).to(torch::kFloat);
    return head((hidden * weights).sum(1) / weights.sum(1));
  }

  torch::nn::Embedding embedding;
  torch::nn::TransformerEncoder encoder;
  torch::nn::Linear head;
};
TORCH_MODULE(Encoder);

faultwave::Experiment small_experiment() {
  torch::manual_seed(1);
  Encoder net;
  torch::Tensor mask = torch::ones({8, 12}, torch::kBool);
  mask.slice(0, 4).slice(1, 9).fill_(false);  // half of the sentences are shorter
  return {.network = faultwave::network_of(
              net.ptr(),
              [net](const auto& in) mutable { return net->forward(in[0].toTensor(), in[1].toTensor()); }),
          .inputs = faultwave::inputs_from_tensors({torch::randint(100, {8, 12}, torch::kLong), mask})};
}

faultwave::Experiment experiment_of(const std::vector<std::string>& files) {
  std::vector<torch::Tensor> tensors;
  for (size_t i = 1; i < files.size(); ++i)
    tensors.push_back(faultwave::load_tensor(files[i]));
  return {.network = faultwave::Network::open(files.at(0)),
          .inputs = faultwave::inputs_from_tensors(tensors)};
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> files(argv + 1, argv + argc);
    const faultwave::Experiment experiment = files.empty() ? small_experiment() : experiment_of(files);
    const faultwave::Campaign campaign =
        faultwave::open_campaign(experiment, {.trials = 2000, .error = "flip"});
    const faultwave::Store results = campaign.run();
    std::cout << text_report(summarize(results));

    const faultwave::TrialColumns columns = trial_columns(results, *campaign.parts().sampler);
    for (size_t i = 0; i < columns.trial.size(); ++i) {
      if (columns.outcome[i] != faultwave::OutcomeClass::sdc) continue;
      std::cout << "the first silent corruption: input " << columns.input[i] << ", " << columns.fault[i]
                << "\n";
      break;
    }
  } catch (const faultwave::UserError& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
