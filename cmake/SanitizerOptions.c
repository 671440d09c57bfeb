/*===- SanitizerOptions.c - How a build with sanitizers runs beside the packaged LLVM ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===*/

/* llvm::BumpPtrAllocator is code in a header: compiled with the address sanitizer it poisons a new slab and unpoisons
 * each piece that it hands out; compiled without, in the packaged libLLVM and libMLIR, it does neither. Allocators are
 * shared by both (types and attributes of a context are), so that a piece handed out by the library from a slab that
 * we poisoned is reported at its first use: `use-after-poison`. What is lost is only that the rest of such a slab is
 * guarded; the heap, the stack and globals are watched as always.
 *
 * Memory that isn't there is an error that the tools report: they are told so, not ended. */
const char *__asan_default_options(void);
__attribute__((visibility("default"), used)) const char *__asan_default_options(void) {
  return "allow_user_poisoning=0:allocator_may_return_null=1";
}
