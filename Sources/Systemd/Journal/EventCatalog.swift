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
    /// The fields that each line of it has, as the journal names them: what an alert may rest on.
    public let fields: [String]

    init(
      name: String, messageID: String, subject: String, meaning: String,
      money: String = "Nothing is lost, and nothing is sent twice.", advice: String = "Nothing.", fields: [String] = []
    ) {
      (self.name, self.messageID, self.subject) = (name, messageID, subject)
      (self.meaning, self.money, self.advice) = (meaning, money, advice)
      self.fields = fields.map { JournalEntry.name(of: $0) }
    }
  }

  /// Every event that has an ID.
  public static let events = running + shop + reports

  /// The ID of the event of this name, where it has one.
  public static func messageID(of name: String) -> String? { byName[name] }

  /// Finds the fields that a line of the event of this name lacks.
  ///
  /// - Parameters:
  ///   - name: The event's name.
  ///   - keys: The keys of the line's metadata.
  /// - Returns: The missing fields, as the journal names them.
  public static func missingFields(of name: String, among keys: some Sequence<String>) -> [String] {
    guard let event = events.first(where: { $0.name == name }) else { return [] }
    return Set(event.fields).subtracting(keys.map { JournalEntry.name(of: $0) }).sorted()
  }

  private static let byName = Dictionary(uniqueKeysWithValues: events.map { ($0.name, $0.messageID) })
}
