/* SPDX-License-Identifier: Apache-2.0 */
/* state.json of the state folder. */
#include "fuzz_doc.h"

#include "container/container.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_doc(&container_state_type, data, size);
	return 0;
}
