/* SPDX-License-Identifier: Apache-2.0 */
/* The image of the last stage (stage/stage.c), as the build made it. */
#include "init/init_stage.h"

__asm__(".section .rodata\n"
	".balign 16\n"
	".globl init_stage_image\n"
	".hidden init_stage_image\n"
	"init_stage_image:\n"
	".incbin \"" BOCK_STAGE_FILE "\"\n"
	".globl init_stage_image_end\n"
	".hidden init_stage_image_end\n"
	"init_stage_image_end:\n"
	".previous\n");
