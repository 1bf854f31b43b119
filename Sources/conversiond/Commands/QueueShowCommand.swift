import ArgumentParser
import Conversions
import Foundation

/// `conversiond queue show`.
struct QueueShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show all that is known of orders: what was seen, each candidate, each send.",
    discussion: """
      EXAMPLES
        conversiond queue show 17 18
        conversiond queue list --state review --json | jq .id | conversiond queue show -

      EXIT STATUS
        0 shown, 4 no such entry (those that exist are shown)
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: ArgumentHelp("Numbers from `queue list`; - reads them from standard input.", valueName: "id"))
  var ids: [String]

  func validate() throws {
    // Standard input is read only once, and later.
    _ = try EntryArguments.read(ids.filter { $0 != "-" })
  }

  func run() async throws {
    let access = DaemonAccess(configuration: try global.readWithWarnings().0)
    var missing: [EntryID] = []
    for id in try EntryArguments.read(ids) {
      guard let entry = try await access.entry(id) else {
        missing.append(id)
        continue
      }
      if global.json {
        StandardStreams.write(try JSONEncoder.contractText(entry) + "\n")
      } else {
        StandardStreams.write(EntryScreen(entry: entry).text)
      }
    }
    guard missing.isEmpty else {
      let names = missing.map(\.description).joined(separator: ", ")
      throw CommandFailure(.noSuchEntry, "there is no entry \(names) in the ledger; see `conversiond queue list`")
    }
  }
}

/// Entries as they are named on a command line.
enum EntryArguments {
  /// - Throws: `ValidationError` for what is no number.
  static func read(_ arguments: [String]) throws -> [EntryID] {
    try arguments.flatMap { argument in
      guard argument == "-" else { return [argument] }
      var words: [String] = []
      while let line = readLine() { words += line.split(whereSeparator: \.isWhitespace).map(String.init) }
      return words
    }.map { word in
      guard let number = Int64(word), number > 0 else { throw ValidationError("\(word) is not an entry's number") }
      return EntryID(number)
    }
  }
}
