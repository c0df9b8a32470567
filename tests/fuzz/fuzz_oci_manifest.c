/* SPDX-License-Identifier: Apache-2.0 */
/* The decoder of an image manifest. */
#include "fuzz_doc.h"

#include "oci/oci_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_doc(&oci_manifest_type, data, size);
	return 0;
}
