/* SPDX-License-Identifier: MIT */
// expect: VF_T cannot be copied: give a push what may be moved
#include <memory>
typedef std::unique_ptr<int> job;
#define VF_T       job
#define VF_N       4
#define VF_DROP(p) (p)->~job()
#include <veryfast/smallbuf.h>
void send(smallbuf_job_4 *buffer, job &one)
{
    smallbuf_job_4_push(buffer, one);
}
