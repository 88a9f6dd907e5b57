// SPDX-License-Identifier: MIT
#include "common/version.h"

#include "suite_version.h"

const char suite_version[] = SUITE_VERSION;
const char suite_commit[] = SUITE_COMMIT;
