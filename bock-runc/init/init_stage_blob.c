/* SPDX-License-Identifier: Apache-2.0 */
/* The image of the last stage (stage/stage.c), as the build made it. */
#include "init/init_stage.h"

__asm__(".section .rodata\n"
	".balign 16\n"
	".globl init_stage_image\n"
	".hidden init_stage_image\n"
	"init_stage_image:\n"
	".incbin \"" BOCK_STAGE_FILE "\"\n"
	"1:\n"
	".balign 4\n"
	".globl init_stage_image_size\n"
	".hidden init_stage_image_size\n"
	"init_stage_image_size:\n"
	".long 1b - init_stage_image\n"
	".previous\n");
