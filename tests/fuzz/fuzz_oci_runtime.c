/* SPDX-License-Identifier: Apache-2.0 */
/* The decoder of config.json of a bundle. */
#include "fuzz_doc.h"

#include "oci/oci_runtime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_doc(&oci_runtime_config_type, data, size);
	return 0;
}
