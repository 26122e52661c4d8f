/* SPDX-License-Identifier: MIT */
/*
 * handle_body.h - the bodies of what pool.h declares with VF_HANDLE; the descriptions are there.
 * Included by pool_body.h once for each instance.
 */
#ifndef vf_kind
#    error "handle_body.h is internal: include <veryfast/pool.h>"
#endif

vf_fn vf_self_handle vf_self_handle_of(vf_self *pool, const vf_t *object)
{
    vf_self_handle handle = {
        vf_pool_call(publish, (vf_pool_core *)pool, object, vf_n, vf_self_stride)};
    return handle;
}

vf_fn vf_t *vf_self_get(const vf_self *pool, vf_self_handle handle)
{
    return (vf_t *)vf_pool_call(get, (const vf_pool_core *)pool, handle.bits, vf_n, vf_self_stride);
}

vf_fn bool vf_self_free_handle(vf_self *pool, vf_self_handle handle)
{
    bool goes_on;
    vf_t *object = (vf_t *)vf_pool_call(claim_handle, (vf_pool_core *)pool, handle.bits, &goes_on);
    if (object == NULL)
        return false;
#ifdef vf_drops
    if (!vf_pool_call(may_drop, (vf_pool_core *)pool, object))
        return false;
    vf_self_drop(object);
#endif
    vf_self_put_back(pool, object, goes_on);
    return true;
}

#ifdef VF_EPOCH
vf_fn bool vf_self_free_handle_deferred(vf_self *pool, vf_self_handle handle)
{
#    ifndef vf_drops
    return vf_pool_call(free_handle_deferred, (vf_pool_core *)pool, handle.bits, NULL);
#    else
    return vf_pool_call(free_handle_deferred, (vf_pool_core *)pool, handle.bits, vf_self_drop);
#    endif
}
#endif

vf_fn vf_self_handle vf_self_walk_handle(const vf_self_walk *walk)
{
    vf_self_handle handle = {walk->core.given};
    return handle;
}
