/* SPDX-License-Identifier: MIT */
/*
 * names.h - the names of an instance, so that the templates read as plain C.
 *
 * These are all of them. They stay defined: each becomes a name of the instance where it is used,
 * by the VF_NAME of that moment (VF_CAT is in name.h).
 */
#ifndef VF_DETAIL_NAMES_H
#define VF_DETAIL_NAMES_H

/* ---- both templates ---- */

#define vf_self_name    VF_NAME
#define vf_self         VF_CAT(vf_self_of_, VF_NAME) /* the same type, whatever is in scope */
#define vf_n            VF_CAT(vf_n_of_, VF_NAME)    /* VF_N, likewise */
#define vf_self_push    VF_CAT(VF_NAME, _push)
#define vf_self_reserve VF_CAT(VF_NAME, _reserve)
#define vf_self_trim    VF_CAT(VF_NAME, _trim)
#define vf_self_destroy VF_CAT(VF_NAME, _destroy)

/* ---- pool.h ---- */

#define vf_self_cache                VF_CAT(VF_NAME, _cache)
#define vf_self_new                  VF_CAT(VF_NAME, _new)
#define vf_self_shared               VF_CAT(VF_NAME, _shared)
#define vf_self_alloc                VF_CAT(VF_NAME, _alloc)
#define vf_self_alloc_n              VF_CAT(VF_NAME, _alloc_n)
#define vf_self_free                 VF_CAT(VF_NAME, _free)
#define vf_self_take                 VF_CAT(VF_NAME, _take)
#define vf_self_free_n               VF_CAT(VF_NAME, _free_n)
#define vf_self_cache_new            VF_CAT(VF_NAME, _cache_new)
#define vf_self_cache_alloc          VF_CAT(VF_NAME, _cache_alloc)
#define vf_self_cache_free           VF_CAT(VF_NAME, _cache_free)
#define vf_self_cache_release        VF_CAT(VF_NAME, _cache_release)
#define vf_self_free_deferred        VF_CAT(VF_NAME, _free_deferred)
#define vf_self_epoch_barrier        VF_CAT(VF_NAME, _epoch_barrier)
#define vf_self_stats                VF_CAT(VF_NAME, _stats)
#define vf_self_owns                 VF_CAT(VF_NAME, _owns)
#define vf_self_each                 VF_CAT(VF_NAME, _each)
#define vf_self_walk                 VF_CAT(VF_NAME, _walk)
#define vf_self_walk_begin           VF_CAT(VF_NAME, _walk_begin)
#define vf_self_walk_part            VF_CAT(VF_NAME, _walk_part)
#define vf_self_walk_next            VF_CAT(VF_NAME, _walk_next)
#define vf_self_walk_end             VF_CAT(VF_NAME, _walk_end)
#define vf_self_handle               VF_CAT(VF_NAME, _handle)
#define vf_self_handle_of            VF_CAT(VF_NAME, _handle_of)
#define vf_self_get                  VF_CAT(VF_NAME, _get)
#define vf_self_free_handle          VF_CAT(VF_NAME, _free_handle)
#define vf_self_walk_handle          VF_CAT(VF_NAME, _walk_handle)
#define vf_self_free_handle_deferred VF_CAT(VF_NAME, _free_handle_deferred)
#define vf_self_release              VF_CAT(VF_NAME, _release)

/* ---- smallbuf.h ---- */

#define vf_self_bank              VF_CAT(VF_NAME, _bank)
#define vf_self_writer            VF_CAT(VF_NAME, _writer)
#define vf_self_drain             VF_CAT(VF_NAME, _drain)
#define vf_self_init              VF_CAT(VF_NAME, _init)
#define vf_self_push_index        VF_CAT(VF_NAME, _push_index)
#define vf_self_push_slot         VF_CAT(VF_NAME, _push_slot)
#define vf_self_push_n            VF_CAT(VF_NAME, _push_n)
#define vf_self_push_n_index      VF_CAT(VF_NAME, _push_n_index)
#define vf_self_writer_open       VF_CAT(VF_NAME, _writer_open)
#define vf_self_writer_push       VF_CAT(VF_NAME, _writer_push)
#define vf_self_writer_push_index VF_CAT(VF_NAME, _writer_push_index)
#define vf_self_writer_close      VF_CAT(VF_NAME, _writer_close)
#define vf_self_flip              VF_CAT(VF_NAME, _flip)
#define vf_self_flip_try          VF_CAT(VF_NAME, _flip_try)
#define vf_self_flip_begin        VF_CAT(VF_NAME, _flip_begin)
#define vf_self_flip_done         VF_CAT(VF_NAME, _flip_done)
#define vf_self_flip_finish       VF_CAT(VF_NAME, _flip_finish)
#define vf_self_wait              VF_CAT(VF_NAME, _wait)
#define vf_self_wake              VF_CAT(VF_NAME, _wake)
#define vf_self_fork_child        VF_CAT(VF_NAME, _fork_child)
#define vf_self_push_exclusive    VF_CAT(VF_NAME, _push_exclusive)
#define vf_self_count             VF_CAT(VF_NAME, _count)
#define vf_self_count_about       VF_CAT(VF_NAME, _count_about)
#define vf_self_capacity          VF_CAT(VF_NAME, _capacity)
#define vf_self_refused           VF_CAT(VF_NAME, _refused)
#define vf_self_span              VF_CAT(VF_NAME, _span)
#define vf_self_drain_begin       VF_CAT(VF_NAME, _drain_begin)
#define vf_self_drain_span        VF_CAT(VF_NAME, _drain_span)
#define vf_self_drain_next        VF_CAT(VF_NAME, _drain_next)
#define vf_self_drain_refused     VF_CAT(VF_NAME, _drain_refused)
#define vf_self_drain_end         VF_CAT(VF_NAME, _drain_end)
#define vf_self_drain_end_trim    VF_CAT(VF_NAME, _drain_end_trim)
#define vf_self_clear             VF_CAT(VF_NAME, _clear)

/* ---- not for an instance's users ---- */

#define vf_self_once          VF_CAT(vf_the_same_instance_twice_needs_a_guarded_header_, VF_NAME)
#define vf_self_drop          VF_CAT(vf_drop_of_, VF_NAME)
#define vf_self_given         VF_CAT(vf_given_of_, VF_NAME)
#define vf_self_gone          VF_CAT(vf_gone_of_, VF_NAME)
#define vf_self_visitor       VF_CAT(vf_visitor_of_, VF_NAME)
#define vf_self_visit         VF_CAT(vf_visit_of_, VF_NAME)
#define vf_self_type          VF_CAT(vf_type_of_, VF_NAME)
#define vf_self_stride        VF_CAT(vf_stride_of_, VF_NAME)
#define vf_self_end           VF_CAT(vf_end_of_, VF_NAME)
#define vf_self_put_back      VF_CAT(vf_put_back_of_, VF_NAME)
#define vf_self_bank_at       VF_CAT(vf_bank_at_of_, VF_NAME)
#define vf_self_bank_of       VF_CAT(vf_bank_of_, VF_NAME)
#define vf_self_current       VF_CAT(vf_current_of_, VF_NAME)
#define vf_self_set_index     VF_CAT(vf_set_index_of_, VF_NAME)
#define vf_self_expected      VF_CAT(vf_expected_of_, VF_NAME)
#define vf_self_find          VF_CAT(vf_find_of_, VF_NAME)
#define vf_self_put_n         VF_CAT(vf_put_n_of_, VF_NAME)
#define vf_self_rouse         VF_CAT(vf_rouse_of_, VF_NAME)
#define vf_self_take_current  VF_CAT(vf_take_current_of_, VF_NAME)
#define vf_self_has_begun     VF_CAT(vf_has_begun_of_, VF_NAME)
#define vf_self_take_other    VF_CAT(vf_take_other_of_, VF_NAME)
#define vf_self_take_begun    VF_CAT(vf_take_begun_of_, VF_NAME)
#define vf_self_go_behind     VF_CAT(vf_go_behind_of_, VF_NAME)
#define vf_self_drop_all      VF_CAT(vf_drop_all_of_, VF_NAME)
#define vf_self_turn          VF_CAT(vf_turn_of_, VF_NAME)
#define vf_self_is_torn       VF_CAT(vf_is_torn_of_, VF_NAME)
#define vf_self_writer_index  VF_CAT(vf_writer_index_of_, VF_NAME)
#define vf_self_expect        VF_CAT(vf_expect_of_, VF_NAME)
#define vf_self_count_up      VF_CAT(vf_count_up_of_, VF_NAME)
#define vf_self_done          VF_CAT(vf_done_of_, VF_NAME)
#define vf_self_inside        VF_CAT(vf_inside_of_, VF_NAME)
#define vf_self_slots         VF_CAT(vf_slots_of_, VF_NAME)
#define vf_self_store         VF_CAT(vf_store_of_, VF_NAME)
#define vf_self_put           VF_CAT(vf_put_of_, VF_NAME)
#define vf_self_detach        VF_CAT(vf_detach_of_, VF_NAME)
#define vf_self_fill          VF_CAT(vf_fill_of_, VF_NAME)
#define vf_self_put_exclusive VF_CAT(vf_put_exclusive_of_, VF_NAME)
#define vf_self_writer_put    VF_CAT(vf_writer_put_of_, VF_NAME)

#endif
