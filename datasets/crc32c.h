/* SPDX-License-Identifier: MIT */
/* CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected; RFC 3720, appendix B.4). */
#ifndef DATASETS_CRC32C_H
#define DATASETS_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from `crc`, 0 at the start: crc32c(crc32c(0, a), b) is that of a and b in one piece. */
uint32_t crc32c(uint32_t crc, const void *data, size_t length);

/* The same without the processor's instruction, for machines that have none and for tests. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t length);

#endif
