/* SPDX-License-Identifier: MIT */
/*
 * windows.h - of the Windows SDK, which nobody but Microsoft may hand out, the declarations that
 * src/platform uses: to compile for that target.
 */
#ifndef TESTS_STUBS_WINDOWS_H
#define TESTS_STUBS_WINDOWS_H

#include <stddef.h>
#include <stdint.h>

#define WINAPI   __stdcall
#define CALLBACK __stdcall
#define NTAPI    __stdcall
#define TRUE     1
#define FALSE    0

typedef int BOOL;
typedef unsigned long DWORD;
typedef unsigned char BOOLEAN;
typedef void *HANDLE;
typedef struct HINSTANCE__ *HMODULE;
typedef intptr_t(WINAPI *FARPROC)(void);
typedef struct SRWLOCK {
    void *Ptr;
} SRWLOCK;
typedef union INIT_ONCE {
    void *Ptr;
} INIT_ONCE;
typedef struct SYSTEM_INFO {
    DWORD dwOemId;
    DWORD dwPageSize;
    void *rest[6];
} SYSTEM_INFO;

#define FLS_OUT_OF_INDEXES                           ((DWORD)0xFFFFFFFF)
#define SYNCHRONIZE                                  0x00100000L
#define WAIT_OBJECT_0                                ((DWORD)0)
#define ERROR_INVALID_PARAMETER                      87L
#define MEM_COMMIT                                   0x1000
#define MEM_RESERVE                                  0x2000
#define MEM_RELEASE                                  0x8000
#define PAGE_READWRITE                               4
#define GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS       4
#define GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT 2
#define INFINITE                                     0xFFFFFFFF

void WINAPI InitializeSRWLock(SRWLOCK *lock);
void WINAPI AcquireSRWLockExclusive(SRWLOCK *lock);
BOOLEAN WINAPI TryAcquireSRWLockExclusive(SRWLOCK *lock);
void WINAPI ReleaseSRWLockExclusive(SRWLOCK *lock);
BOOL WINAPI InitOnceExecuteOnce(INIT_ONCE *once, BOOL(CALLBACK *call)(INIT_ONCE *, void *, void **),
                                void *parameter, void **context);
DWORD WINAPI FlsAlloc(void(NTAPI *callback)(void *));
BOOL WINAPI FlsSetValue(DWORD slot, void *value);
BOOL WINAPI FlsFree(DWORD slot);
void WINAPI FlushProcessWriteBuffers(void);
DWORD WINAPI GetCurrentThreadId(void);
DWORD WINAPI GetLastError(void);
HANDLE WINAPI OpenThread(DWORD access, BOOL inherit, DWORD id);
DWORD WINAPI WaitForSingleObject(HANDLE object, DWORD milliseconds);
BOOL WINAPI CloseHandle(HANDLE object);
void WINAPI GetSystemInfo(SYSTEM_INFO *info);
void *WINAPI VirtualAlloc(void *address, size_t size, DWORD type, DWORD protection);
BOOL WINAPI VirtualFree(void *address, size_t size, DWORD type);
BOOL WINAPI SwitchToThread(void);
unsigned long long WINAPI GetTickCount64(void);
void WINAPI Sleep(DWORD milliseconds);
BOOL WINAPI GetModuleHandleExA(DWORD flags, const char *name, HMODULE *module);
DWORD WINAPI GetModuleFileNameA(HMODULE module, char *name, DWORD size);
HMODULE WINAPI GetModuleHandleA(const char *name);
FARPROC WINAPI GetProcAddress(HMODULE module, const char *name);

#endif
