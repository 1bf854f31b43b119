/// The fixed MESSAGE_ID of each event (systemd.journal-fields(7), journalctl -x).
///
/// An ID names an event for ever: it may be added here, and never changed or used again for another event.
public enum EventCatalog {
  /// One event of the journal.
  public struct Event: Sendable, Equatable {
    /// The name, as in `CONVERSIOND_EVENT`.
    public let name: String
    /// 128 bits as 32 hexadecimal digits, as in `MESSAGE_ID`.
    public let messageID: String
  }

  /// Every event that has an ID.
  public static let events: [Event] = [
    // The daemon has begun its work.
    Event(name: "started", messageID: "96458cf269f4413ca53617498e47c913"),
    // The daemon has ended.
    Event(name: "stopped", messageID: "6bff606d3f8b4739951995fe58dc29d3"),
    // A new configuration is in force.
    Event(name: "reload_ok", messageID: "6801f0adf52e4bec821e770938f99fb5"),
    // A new configuration was refused; the old one stays in force.
    Event(name: "reload_refused", messageID: "09c2441424c54d00a1b6f620d2ad4be5"),
    // The shop's database cannot be read.
    Event(name: "poll_failed", messageID: "3151f30c78e74d519dc781ec00888aec"),
    // The shop's database can be read again.
    Event(name: "poll_recovered", messageID: "def9cfdefcdb4b8892b496db23999a9f"),
    // An order was matched with a referral.
    Event(name: "matched", messageID: "eb351e976c7b45ae90342249590365b9"),
    // A report was put in the queue.
    Event(name: "queued", messageID: "3b728b8a6be34a22bfb69a2a69ab3209"),
    // A conversion was reported.
    Event(name: "reported", messageID: "457b2112794c4953b8eca590a9c83d56"),
    // A report waits for its next try.
    Event(name: "deferred", messageID: "26fee1199a09435891c2619d1ad06fb5"),
    // An order's referral was converted by another order or program.
    Event(name: "superseded", messageID: "cc6d1608ac784879bd655a2699ef1f3f"),
    // An order waits for a person.
    Event(name: "review", messageID: "3c64aa38bdb946d78ce40cbceece0820"),
    // Nothing is sent to the API any more.
    Event(name: "api_halted", messageID: "bab790b50cf046dca75e395666ee0b97"),
    // The API takes reports again.
    Event(name: "api_recovered", messageID: "987a90b956b44908a4742359300e751d"),
    // Every order was read once, and every referral is known.
    Event(name: "caught_up", messageID: "59058af42b74420cb68a60e35a1baca9"),
    // The API's referrals cannot be read.
    Event(name: "mirror_failed", messageID: "588efb8945b046efa2878b6a543fe763"),
    // The API's referrals can be read again.
    Event(name: "mirror_recovered", messageID: "7e52bd2445014a7abac876d282c141d5"),
    // The API's list is not what its reference says.
    Event(name: "mirror_distrusted", messageID: "edb504d7a5594a1db2822c5a661fe9b5"),
    // The API's list is what its reference says again.
    Event(name: "mirror_trusted", messageID: "5b92e483de7944878b1ca65c30221f1c"),
    // The API does not know a referral any more.
    Event(name: "referral_gone", messageID: "e942b748f7c348d9946ecfb619ea1308"),
    // A referral is not what the API's reference says.
    Event(name: "referral_unreadable", messageID: "56c78cf02f0a4d4a9427ddc5275d643b"),
    // An order stopped qualifying before it was reported.
    Event(name: "cancelled", messageID: "8cce96b183454b05bf3f83786a8437f9"),
    // A reported order is not what was reported any more.
    Event(name: "changed_since", messageID: "5d0b6f0b0c1e4c6e9a7f3f5c8e2d9b14"),
    // A dry run would have sent a report.
    Event(name: "would_report", messageID: "ef5488a1890640e1b4f9649e5f3b2c51"),
    // The ledger cannot be read or written.
    Event(name: "ledger_failed", messageID: "9059743dfb934058822240fa79900a8f"),
    // The ledger can be read and written again.
    Event(name: "ledger_recovered", messageID: "16efcef1a8254c09b85f65c3f6c0a03a"),
    // The ledger is as large as it may be; orders are not read.
    Event(name: "ledger_full", messageID: "f0a54f1a0fcb4c028f787a4bc045c293"),
    // The ledger has room again; orders are read.
    Event(name: "ledger_room", messageID: "3bfddcbd6bb844a49d371666bd0b20ab"),
    // The shop's table is read, but something about it is not as it should be.
    Event(name: "poll_warning", messageID: "61917036d7a5406bb4544ab546f39189"),
    // The method by which changes to the shop's table are found.
    Event(name: "following", messageID: "1f1189a219ca4d20bae85bf5b151df81"),
    // The shop's table is another one than before; everything is read again.
    Event(name: "table_changed", messageID: "0417b8cfa64c4b87bd3144860af42e56"),
    // The rules changed; orders that were never sent were decided anew.
    Event(name: "rules_changed", messageID: "ca52d6f6c51746688e2b889a042a4331"),
    // The API's search is not believed, or is again.
    Event(name: "search_doubted", messageID: "f2ab51b5f74142768d99e66e4053f3c9"),
    // An operator held, released or discarded orders.
    Event(name: "operator", messageID: "508e8569d69b46b987385c399b8fe56d"),
    // The host's clock was set, or another clock contradicts it: no hold ends, and no order is sent for the first time.
    Event(name: "clock_unconfirmed", messageID: "53cc7f45f7aa4767b62eb0a3ef0dfbd7"),
    // The host's clock is confirmed, or believed.
    Event(name: "clock_confirmed", messageID: "e1d9b5b5e96d4e0a8a3d5d34f6ac0c55"),
    // Orders that have a referral are missing from the shop's table, or lost what it was found by.
    Event(name: "rows_missing", messageID: "7d3f1c0a9b5e4f6c8a21e0d4b6c97f53"),
    // Lines were lost because they were not read in time.
    Event(name: "log_dropped", messageID: "311efd0ded1c4eac8c2d3231b389e25b"),
  ]

  /// The ID of the event of this name, where it has one.
  public static func messageID(of name: String) -> String? { byName[name] }

  private static let byName = Dictionary(uniqueKeysWithValues: events.map { ($0.name, $0.messageID) })
}
