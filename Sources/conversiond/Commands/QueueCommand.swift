import ArgumentParser

/// `conversiond queue`: the orders that are not done.
struct QueueCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "queue",
    abstract: "List and show the orders in the ledger.",
    discussion: """
      EXAMPLES
        conversiond queue list
        conversiond queue list --state review --reason invalid_amount
        conversiond queue show 17
      """,
    subcommands: [QueueListCommand.self, QueueShowCommand.self])
}
