//! The list of all behaviours.

/// Makes one test of every behaviour, for one [`Framework`](crate::Framework).
#[macro_export]
macro_rules! behaviours {
    ($framework:ty) => {
        $crate::each_behaviour! { $framework;
            caching {
                an_untouched_session_leaves_the_response_alone
                a_read_adds_vary_and_nothing_else
                a_write_sends_one_cookie_and_keeps_caches_away
                a_response_with_a_cookie_is_left_for_no_shared_cache
                what_the_handler_said_about_caching_stands
            }
            cookies {
                a_cookie_is_found_in_any_of_several_headers
                an_unknown_id_is_never_adopted
                a_malformed_cookie_is_no_concern_of_a_page_that_only_reads
                a_malformed_cookie_is_replaced_by_a_write
                whatever_a_handler_does_one_cookie_is_sent_and_it_works
                a_cookie_of_the_sessions_name_gives_way_to_the_sessions_own
                a_cookie_of_the_sessions_name_stays_where_the_session_sends_none
            }
            current {
                a_component_finds_the_current_session
                two_requests_at_once_each_find_their_own_session
                a_task_of_its_own_finds_no_current_session
                a_body_that_streams_finds_the_current_session
            }
            failures {
                a_store_that_is_down_is_503_with_retry_after_and_no_cookie
                a_full_store_is_500_and_the_session_is_as_it_was
                a_corrupt_record_is_500_and_its_bytes_are_kept
                an_oversized_value_is_413
                a_handler_that_ignores_its_errors_still_gets_no_200_for_a_change_that_failed
                a_commit_that_failed_takes_back_all_that_the_handler_said
            }
            interruptions {
                a_commit_that_has_begun_is_finished_without_its_client
                a_logout_happens_even_when_the_client_goes_away
                what_a_stream_changed_is_saved_even_when_the_client_goes_away
                a_handler_that_was_given_up_saves_nothing
            }
            layers {
                a_layer_that_is_there_twice_is_one_session_with_one_cookie
                what_changes_between_two_layers_after_the_handler_is_saved_too
                a_login_below_a_second_layer_is_not_undone_by_the_first
                a_logout_below_a_second_layer_is_not_undone_by_the_first
                a_session_that_two_layers_leave_alone_leaves_the_response_alone
                the_policy_of_the_inner_layer_holds_below_it
                a_page_that_one_of_two_layers_calls_prerendered_has_no_session
                a_body_that_streams_below_two_layers_is_saved_once_and_in_time
                layers_of_other_sessions_each_send_their_own_cookie
                other_sessions_between_two_layers_do_not_hide_the_one_from_the_other
                two_sessions_of_one_cookie_name_never_send_it_twice
            }
            middleware {
                middleware_reads_and_writes_before_and_after_the_handler
            }
            outages {
                a_site_says_what_its_requests_get_and_a_route_says_it_for_itself
                whatever_the_policy_no_change_is_lost_behind_a_200
                a_page_for_nobody_is_kept_by_no_cache
            }
            prerendered {
                a_session_on_a_prerendered_page_is_an_error_that_names_the_page
                an_optional_session_is_none_where_there_is_none
                a_prerendered_page_costs_no_session_and_tells_of_none
                a_route_outside_the_middleware_says_so
            }
            principals {
                a_handler_is_given_the_principal_and_nobody_else_reaches_it
                an_optional_principal_is_none_where_nobody_is_signed_in
                a_sign_in_is_seen_by_the_request_that_makes_it
                a_guard_opens_with_a_sign_in_and_closes_with_a_sign_out
                who_looks_at_a_page_is_sent_to_sign_in_and_comes_back
                what_a_script_asks_for_or_changes_something_is_refused
                the_page_to_sign_in_at_is_for_all
                a_recent_authentication_is_asked_for_where_it_has_to_be_recent
                an_outage_is_no_sign_out
                a_guard_outside_the_middleware_says_so
                a_sign_in_leads_to_a_path_of_this_site_alone
            }
            sessions {
                a_session_lives_from_one_request_to_the_next
                a_login_moves_the_session
                a_logout_ends_the_session_and_deletes_the_cookie
                a_logout_of_nobody_sends_no_cookie
                a_response_that_is_an_error_saves_the_session_and_sends_its_cookie
                an_error_that_a_handler_returns_saves_the_session_and_sends_its_cookie
                a_login_whose_response_is_an_error_keeps_the_session
                a_write_that_a_logout_overtakes_is_answered_and_revives_nothing
            }
            streams {
                a_body_that_streams_can_still_change_a_session_that_exists
                a_body_that_streams_cannot_create_a_session_and_is_told
                a_late_change_that_cannot_be_saved_breaks_the_body_off
                a_body_that_streams_sees_the_session_and_caches_are_told
                a_session_that_only_a_streamed_body_reads_is_in_use
                a_session_in_use_over_one_long_body_does_not_end_as_idle
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! each_behaviour {
    ($framework:ty; $($module:ident { $($name:ident)* })*) => {
        $(
            mod $module {
                use super::*;

                $(
                    #[test]
                    fn $name() {
                        $crate::run($crate::behaviours::$module::$name::<$framework>());
                    }
                )*
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    /// One that is written and not listed would be held against nobody.
    #[test]
    fn every_behaviour_is_listed() {
        let list = include_str!("list.rs");
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/behaviours");
        let mut behaviours = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for rest in text.split("pub async fn ").skip(1) {
                let name = rest.split(['<', '(']).next().unwrap();
                assert!(list.lines().any(|line| line.trim() == name), "{name}");
                behaviours += 1;
            }
        }
        assert!(behaviours > 40, "{behaviours}");
    }
}
