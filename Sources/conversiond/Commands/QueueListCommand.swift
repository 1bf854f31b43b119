import ArgumentParser
import Configuration
import Conversions
import Foundation

/// `conversiond queue list`.
struct QueueListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List orders: by default what is held, queued, being sent, and what needs a person.",
    discussion: """
      `queue show`, `hold`, `release` and `discard` take an order by its ID, or by its entry's number as '#210', which tells \
      orders apart that share an ID.

      EXAMPLES
        conversiond queue list
        conversiond queue list --state review --older-than 2d
        conversiond queue list --state reported --reason amount_changed
        conversiond queue list --state ALL --json | jq -r .order
      """)

  /// The states that are listed when none is named.
  static let unfinished: [Outcome] = [.held, .queued, .sending, .review]

  @OptionGroup var global: GlobalOptions

  @Option(help: ArgumentHelp("Only orders in this state; may be given several times; ALL for all.", valueName: "state"))
  var state: [String] = []

  @Option(help: ArgumentHelp("Only orders with this reason, or this change after their report.", valueName: "code"))
  var reason: String?

  @Option(
    help: ArgumentHelp("Only orders that have been in their state for longer, such as 2d.", valueName: "duration"))
  var olderThan: String?

  func validate() throws {
    _ = try outcomes()
    _ = try age()
    try QueueWords.validate(reason: reason)
  }

  func run() async throws {
    let access = DaemonAccess(configuration: try global.readWithWarnings().0)
    let before = try age().map { SystemClock().now - $0 }
    var filter = EntryFilter(outcomes: try outcomes(), reason: reason, decidedBefore: before)
    var table = Table(["entry", "state", "order", "referral", "cents", "in state since", "reason"], right: [0, 4])
    while true {
      let page = try await access.entries(filter)
      for entry in page.entries {
        if global.json {
          StandardStreams.write(try JSONEncoder.contractText(entry) + "\n")
        } else {
          table.add(row(of: entry))
        }
      }
      guard let next = page.nextAfter else {
        if !global.json { StandardStreams.write(table.text + Self.remainder(page)) }
        break
      }
      filter.after = EntryID(next)
    }
  }

  /// The orders that status counts and no list shows.
  private static func remainder(_ page: EntryPage) -> String {
    var text = ""
    if let count = page.countedOnly, count > 0 {
      text +=
        "\(count) more left only a count: they were too old to wait for a referral; nothing is to be done for them\n"
    }
    if let count = page.settledOnly, count > 0 {
      text +=
        "\(count) more were decided longer ago than ledger.retain: the ledger knows them, and shows them no more\n"
    }
    return text
  }

  private func row(of entry: EntryReport) -> [String] {
    let why = [entry.changedSince, entry.reason, entry.detail].compactMap { $0 }.joined(separator: ": ")
    return [
      "#\(entry.id)", entry.state, entry.order, entry.referral ?? "-", entry.valueCents.map(String.init) ?? "-",
      entry.decidedAt ?? "-", why,
    ]
  }

  private func outcomes() throws -> [Outcome] {
    if state.isEmpty { return Self.unfinished }
    if state == ["ALL"] { return Outcome.allCases }
    return try QueueWords.outcomes(state)
  }

  private func age() throws -> Duration? {
    guard let olderThan else { return nil }
    guard let duration = DurationText.parse(olderThan) else {
      throw ValidationError("\(olderThan) is not a duration; write a whole number and ms, s, m, h or d, such as 2d")
    }
    return duration
  }
}
