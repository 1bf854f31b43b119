/// Every event of the journal: its fixed MESSAGE_ID (systemd.journal-fields(7), journalctl -x), and the words on it for an
/// operator.
///
/// The journal's catalog and conversiond-troubleshooting(7) are written from this table, so that they cannot disagree. An ID
/// names an event for ever: it may be added here, and never changed or used again for another event. The words name no
/// field of an entry, as the journal shows one that is missing by its name.
public enum EventCatalog {
  /// One event of the journal. Words between backquotes are typed as they stand.
  public struct Event: Sendable, Equatable {
    /// The name, as in `CONVERSIOND_EVENT`.
    public let name: String
    /// 128 bits as 32 hexadecimal digits, as in `MESSAGE_ID`.
    public let messageID: String
    /// The event in a few words.
    public let subject: String
    /// Its meaning.
    public let meaning: String
    /// Its meaning for money: is any report lost, doubled, or kept back?
    public let money: String
    /// The next thing to do.
    public let advice: String
    /// The keys of metadata that each line of it has: what an alert may rest on.
    public let keys: [String]

    /// Those as the journal names them.
    public var fields: [String] { keys.map { JournalEntry.name(of: $0) } }

    init(
      name: String, messageID: String, subject: String, meaning: String,
      money: String = "Nothing is lost, and nothing is sent twice.", advice: String = "Nothing.", fields: [String] = []
    ) {
      (self.name, self.messageID, self.subject) = (name, messageID, subject)
      (self.meaning, self.money, self.advice) = (meaning, money, advice)
      keys = fields
    }
  }

  /// Every event that has an ID.
  public static let events = running + shop + reports

  /// The ID of the event of this name, where it has one.
  public static func messageID(of name: String) -> String? { byName[name] }

  /// The keys of metadata that each line of the event of this name has.
  public static func keys(of name: String) -> [String] { keysByName[name] ?? [] }

  private static let keysByName = Dictionary(uniqueKeysWithValues: events.map { ($0.name, $0.keys) })

  private static let byName = Dictionary(uniqueKeysWithValues: events.map { ($0.name, $0.messageID) })
}
