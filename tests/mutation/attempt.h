// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace faultwave::mutation {

// What the program does with a file of each kind, through the library. Each throws what the library throws.

void try_fault_line(const std::string& path);
void try_specification(const std::string& path);
/// Opens the network, without running it.
void try_network(const std::string& path);
/// Opens, profiles and runs it on an image of 8 x 8 pixels or on what it says that it takes.
void try_running(const std::string& path);
void try_tensor(const std::string& path);
void try_image(const std::string& path);
/// Reads all of a campaign: tables, exports, the places of its trials.
void try_database(const std::string& path);
/// Goes on with the campaign, whose files lie beside it.
void try_resuming(const std::string& path);

}  // namespace faultwave::mutation
