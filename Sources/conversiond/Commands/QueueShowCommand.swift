import ArgumentParser
import Foundation

/// `conversiond queue show`.
struct QueueShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show all that is known of orders: what was seen, each candidate, each send.",
    discussion: """
      EXAMPLES
        conversiond queue show 1042 1043
        conversiond queue show '#210'
        conversiond queue list --state review --json | jq -r .order | conversiond queue show -

      EXIT STATUS
        0 shown, 4 an order is not in the ledger (the others are shown)
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(
    help: ArgumentHelp(
      "Order IDs, as shop and log show them, or entries' numbers as '#210'; - reads them from standard input.",
      valueName: "order"))
  var orders: [String]

  func validate() throws {
    if orders.isEmpty { throw ValidationError("name orders") }
  }

  func run() async throws {
    let access = DaemonAccess(configuration: try global.readWithWarnings().0)
    var missing: [String] = []
    for name in OrderArguments.words(orders) {
      let found = try await access.entries(named: name)
      if found.isEmpty { missing.append(name) }
      for entry in found {
        StandardStreams.write(
          global.json ? try JSONEncoder.contractText(entry) + "\n" : EntryScreen(entry: entry).text)
      }
    }
    guard missing.isEmpty else {
      throw CommandFailure(
        .noSuchEntry, "not in the ledger: \(missing.joined(separator: ", ")); see `conversiond queue list --state ALL`")
    }
  }
}

/// Orders as they are named on a command line.
enum OrderArguments {
  /// Returns the arguments, with the words of standard input in place of a `-`.
  static func words(_ arguments: [String]) -> [String] {
    arguments.flatMap { argument in
      guard argument == "-" else { return [argument] }
      var words: [String] = []
      while let line = readLine() { words += line.split(whereSeparator: \.isWhitespace).map(String.init) }
      return words
    }
  }
}
