import ArgumentParser

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
