/* SPDX-License-Identifier: MIT */
/*
 * signals.h - signals of the calling thread.
 */
#ifndef VF_SIGNALS_H
#define VF_SIGNALS_H

/* No handler runs on this thread from here on, where there are any. */
void vf_signals_block(void);

#endif
