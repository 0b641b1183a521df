//! What every engine promises, run against each.

mod epochs;
mod findings;
mod matches;
mod pages;
mod races;
mod scans;
mod sweeps;
pub mod things;

use muster_store::Store;

/// Runs all of it on an empty store.
pub async fn suite(store: Store) {
    let begun = std::time::Instant::now();
    sweeps::a_sweep_tells_only_what_changed(&store).await;
    sweeps::what_an_incomplete_sweep_does_not_see_is_not_gone(&store).await;
    sweeps::a_resource_outside_its_sweep_is_refused(&store).await;
    sweeps::resources_are_listed_page_by_page(&store).await;
    sweeps::a_topology_is_told_only_when_it_changed(&store).await;
    sweeps::the_outbox_is_read_oldest_first_and_forgets_what_is_done(&store).await;
    scans::what_was_never_scanned_as_it_is_is_unscanned(&store).await;
    scans::an_earlier_inventory_stays_in_force_when_the_coverage_says_so(&store).await;
    epochs::a_database_comes_out_as_it_went_in(&store).await;
    epochs::a_file_that_is_not_what_the_epoch_says_is_refused(&store).await;
    epochs::only_the_last_three_files_are_kept(&store).await;
    matches::gaps_are_read_for_a_page_of_resources(&store).await;
    matches::unmatched_is_whatever_has_other_inputs_than_its_match(&store).await;
    matches::an_older_epoch_never_replaces_a_newer_match(&store).await;
    matches::only_what_an_epoch_touches_is_behind(&store).await;
    matches::an_inventory_is_touched_by_the_names_that_advisories_use(&store).await;
    matches::a_match_by_an_epoch_before_the_marked_one_is_behind(&store).await;
    matches::matches_of_several_resources_are_noted_together_or_not_at_all(&store).await;
    matches::a_late_match_in_a_batch_is_behind(&store).await;
    matches::a_hundred_thousand_touched_names_are_one_transaction(&store).await;
    findings::findings_and_their_messages_are_one_transaction(&store).await;
    findings::a_revision_that_is_not_newer_is_a_conflict(&store).await;
    findings::closed_findings_are_deleted_after_their_days(&store).await;
    findings::a_sink_is_told_each_revision_once(&store).await;
    findings::findings_of_several_resources_are_written_together_or_not_at_all(&store).await;
    findings::a_thousand_findings_of_one_resource_are_written_and_told_at_once(&store).await;
    pages::every_filter_field_selects(&store).await;
    pages::pages_are_complete_in_every_order(&store).await;
    pages::a_cursor_of_another_query_is_refused(&store).await;
    races::of_two_writers_of_one_revision_one_wins(&store).await;
    races::two_replicas_that_see_the_same_tell_it_once(&store).await;
    races::many_writers_at_once_all_get_through(&store).await;
    races::batches_over_the_same_resources_wait_for_each_other(&store).await;
    println!("conformance: {:?}", begun.elapsed());
    sweeps::ten_thousand_resources_are_taken_in_fast(&store).await;
}
