/// Reasons of orders that are queued and not sent yet. The spelling is shown to operators.
public enum QueuedReason: String, CaseIterable, Sendable {
  /// It waits for a walk of the referrals.
  case referralsUnconfirmed = "referrals_unconfirmed"
  /// It shares a key with a referral that can't be read, and that may be the one to be paid.
  case referralUnreadable = "referral_unreadable"
  /// The API gave no answer to what had to be asked before the send.
  case referralUnread = "referral_unread"
  /// Its row could not be looked at reliably.
  case rowUnproven = "row_unproven"
  /// A send is to be tried again.
  case retry
  /// The daemon ended while it was being sent.
  case interrupted
  /// A dry run doesn't send.
  case dryRun = "dry_run"

  /// The sentence that goes with `interrupted`.
  public static let interruption = "the daemon ended while this was being sent"
}
