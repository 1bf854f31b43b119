import Foundation
import TestHosts

/// Drafts a writer's orders. Each friend is drafted once, except as a rival.
struct OrderChoices: Sendable {
  let settings: TortureSettings
  let writer: Int
  var choices: SeededGenerator
  private var drawn = 0
  /// Friends whose next order would be a rival. None whose order goes to review: that would keep rivals waiting.
  private var earlier: [Friend] = []

  init(_ settings: TortureSettings, writer: Int) {
    self.settings = settings
    self.writer = writer
    choices = SeededGenerator(seed: settings.seed, stream: UInt64(writer))
  }

  /// An order of a friend who has none yet; of a stranger once there is no such friend.
  mutating func next(_ trouble: Trouble) -> OrderDraft {
    let number = drawn * settings.writers + writer
    guard number < settings.friends else { return stranger(trouble) }
    drawn += 1
    let friend = Friend(number, seed: settings.seed)
    var draft = draft(of: friend, trouble)
    if choices.chance(percent: 2) { draft.currency = "USD" } else { earlier.append(friend) }
    return draft
  }

  /// Another order of a friend who has one.
  mutating func rival(_ trouble: Trouble) -> OrderDraft {
    guard !earlier.isEmpty else { return next(trouble) }
    let friend = earlier[choices.int(0...(earlier.count - 1))]
    return draft(of: friend, trouble)
  }

  /// Drafts an order of a customer who was not referred.
  mutating func stranger(_ trouble: Trouble) -> OrderDraft {
    var draft = draft(trouble)
    draft.email = choices.chance(percent: 20) ? nil : "stranger-\(writer)-\(choices.int(1...9999))@example.com"
    return draft
  }

  private mutating func draft(of friend: Friend, _ trouble: Trouble) -> OrderDraft {
    var draft = draft(trouble)
    if friend.isKnownByReference {
      draft.reference = friend.reference
      draft.email = choices.chance(percent: 50) ? nil : friend.email
    } else {
      draft.email = spelled(friend.email)
      if choices.chance(percent: 10) { draft.reference = "lead-of-nobody-\(friend.number)" }
    }
    if friend.kind == .longAgo, choices.chance(percent: 50) { draft.placedAt = "now() - interval '35 days'" }
    return draft
  }

  private mutating func draft(_ trouble: Trouble) -> OrderDraft {
    var draft = OrderDraft(writtenAs: "\(trouble) by \(writer)")
    draft.status = choices.pick([(60, "paid"), (5, "completed"), (28, "pending"), (7, "cancelled")])
    draft.cents = choices.int(100...9_999_999)
    if choices.chance(percent: 5) { draft.currency = "eur" }
    draft.placedAt = choices.pick([
      (70, "clock_timestamp()"), (12, "now()"), (8, "now() - interval '1 day' * \(choices.int(1...8))"),
      (5, "now() - interval '20 days'"), (5, "clock_timestamp() + interval '10 seconds'"),
    ])
    draft.updatedAt = updatedAt()
    return draft
  }

  /// A change column as shops have it: of the beginning of the transaction, of another clock, of the past, or none.
  mutating func updatedAt() -> String {
    choices.pick([
      (50, "now()"), (15, "NULL::timestamptz"), (15, "now() - interval '1 minute' * \(choices.int(20...300))"),
      (10, "now() - interval '1 minute' * \(choices.int(1...14))"),
      (10, "now() + interval '1 minute' * \(choices.int(1...30))"),
    ])
  }

  /// The same e-mail address as people type it.
  private mutating func spelled(_ email: String) -> String {
    choices.pick([(70, email), (10, email.uppercased()), (10, "  \(email.capitalized) "), (10, email + " ")])
  }
}
