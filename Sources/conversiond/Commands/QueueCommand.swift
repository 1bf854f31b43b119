import ArgumentParser
import Configuration
import Conversions

/// `conversiond queue`: the orders that are not done.
struct QueueCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "queue",
    abstract: "List and show the orders in the ledger; hold, release and discard them.",
    discussion: """
      EXAMPLES
        conversiond queue list
        conversiond queue list --state review --reason invalid_amount
        conversiond queue show 1042
        conversiond queue release ALL --reason rules_changed
        conversiond queue discard 1043 --reason fraud --yes
      """,
    subcommands: [
      QueueListCommand.self, QueueShowCommand.self, QueueReleaseCommand.self, QueueHoldCommand.self,
      QueueDiscardCommand.self,
    ])
}

/// The states and reasons of orders as they are typed on a command line.
enum QueueWords {
  /// Reasons by which orders are told apart: of a state, of a review, of a wait in the queue, of a change after a report.
  static let reasons = Set(
    DecisionReason.all + ReviewReason.all.map(\.rawValue) + QueuedReason.allCases.map(\.rawValue)
      + ChangeAfterReport.allCases.map(\.rawValue)
  ).sorted()

  /// The states that are meant.
  ///
  /// - Throws: `ValidationError` for a word that is none.
  static func outcomes(_ words: [String]) throws -> [Outcome] {
    try words.map { word in
      guard let outcome = Outcome(rawValue: word) else {
        throw unknown(word, "state", Outcome.allCases.map(\.rawValue) + ["ALL"])
      }
      return outcome
    }
  }

  /// Refuses a word that is no reason: with it, nothing would be listed, or done, as if there were nothing.
  static func validate(reason word: String?) throws {
    if let word, !reasons.contains(word) { throw unknown(word, "reason", reasons) }
  }

  private static func unknown(_ word: String, _ kind: String, _ known: [String]) -> ValidationError {
    let suggestion = Suggestion.phrase(for: word, among: known)
    return ValidationError("there is no \(kind) \(word)\(suggestion); there are \(known.joined(separator: ", "))")
  }
}
