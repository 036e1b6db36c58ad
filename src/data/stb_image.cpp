// SPDX-License-Identifier: Apache-2.0
// The one source that holds the code of stb_image. Its own file access is left out: InputFile has that.
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#include <stb/stb_image.h>
