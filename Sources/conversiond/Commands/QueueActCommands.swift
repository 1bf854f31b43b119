import ArgumentParser
import Conversions
import Foundation
import Glibc

/// `conversiond queue release`.
struct QueueReleaseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "release",
    abstract: "Let orders go on that an operator, or changed rules, hold.",
    discussion: """
      Says what it would release, and releases it with --yes. ALL takes every held order; --reason only those that are held \
      for it. An order that is named is released from a discard, too.

      When changed rules make more than 20 orders sendable they are held (rules_changed), as no report can be taken back.

      EXAMPLES
        conversiond queue release ALL --reason rules_changed
        conversiond queue release ALL --reason rules_changed --yes
        conversiond queue release 1043 '#210' --yes

      EXIT STATUS
        0 done, or said what would be, 1 possible for none of the orders, 4 an order is not in the ledger, 75 the daemon is \
      busy: try again
      """)

  @Argument(help: ActOptions.help(of: "ALL for all"))
  var orders: [String]
  @OptionGroup var global: GlobalOptions
  @OptionGroup var act: ActOptions
  @Option(help: ArgumentHelp("Only orders that are held for this reason.", valueName: "reason"))
  var reason: String?
  @Option(help: ArgumentHelp("Why, for the log.", valueName: "text"))
  var note: String?

  func validate() throws {
    try ActOptions.validate(orders)
    try QueueWords.validate(reason: reason)
  }

  func run() async throws {
    try await act.run(.release, orders, global, reason: reason, note: note)
  }
}

/// `conversiond queue hold`.
struct QueueHoldCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hold",
    abstract: "Keep orders from being reported until they are released.",
    discussion: """
      The word goes with the order's ID: a row that is made anew, and changed rules, do not take it back. ALL takes every \
      order that may yet be sent and of which no operator has spoken.

      EXAMPLES
        conversiond queue hold 1043 --reason "asked the shop" --yes
        conversiond queue hold ALL --reason "the prices are wrong" --yes

      EXIT STATUS
        0 done, or said what would be, 1 possible for none of the orders, 4 an order is not in the ledger, 75 the daemon is \
      busy: try again
      """)

  @Argument(help: ActOptions.help(of: "ALL for all"))
  var orders: [String]
  @OptionGroup var global: GlobalOptions
  @OptionGroup var act: ActOptions
  @Option(
    name: [.customLong("reason"), .customLong("note")],
    help: ArgumentHelp("Why, for the log and the order's story.", valueName: "text"))
  var reason: String?

  func validate() throws { try ActOptions.validate(orders) }

  func run() async throws { try await act.run(.hold, orders, global, reason: nil, note: reason) }
}

/// `conversiond queue discard`.
struct QueueDiscardCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "discard",
    abstract: "Take orders out for good: they are never reported.",
    discussion: """
      The word goes with the order's ID: a row that is deleted and made again under it stays discarded. An order \
      that was reported, or may have been, can't be discarded.

      EXAMPLES
        conversiond queue discard 1043 --reason fraud --yes

      EXIT STATUS
        0 done, or said what would be, 1 possible for none of the orders, 4 an order is not in the ledger, 75 the daemon is \
      busy: try again
      """)

  @Argument(help: ActOptions.help())
  var orders: [String]
  @OptionGroup var global: GlobalOptions
  @OptionGroup var act: ActOptions
  @Option(
    name: [.customLong("reason"), .customLong("note")],
    help: ArgumentHelp("Why, for the log and the order's story.", valueName: "text"))
  var reason: String?

  func validate() throws {
    if orders.contains("ALL") { throw ValidationError("name the orders to discard: a discard is for good") }
    try ActOptions.validate(orders)
  }

  func run() async throws { try await act.run(.discard, orders, global, reason: nil, note: reason) }
}

/// The orders, and the --yes, that all acts on orders take.
struct ActOptions: ParsableArguments {
  @Flag(help: "Do it, instead of saying what would be done.")
  var yes = false

  /// The help of the orders; `all` says what ALL does, where it is taken.
  static func help(of all: String? = nil) -> ArgumentHelp {
    let words = "Order IDs, as shop and log show them, or entries' numbers as '#210'; - reads them from standard input"
    return ArgumentHelp("\(words)\(all.map { "; \($0)" } ?? "").", valueName: "order")
  }

  static func validate(_ orders: [String]) throws {
    if orders.isEmpty { throw ValidationError("name orders, or ALL") }
    if orders.contains("ALL"), orders.count > 1 { throw ValidationError("ALL stands alone") }
  }

  func run(
    _ kind: ActRequest.Kind, _ orders: [String], _ global: GlobalOptions, reason: String?, note: String?
  ) async throws {
    let access = DaemonAccess(configuration: try global.readWithWarnings().0)
    let named = orders == ["ALL"] ? nil : OrderArguments.words(orders)
    let report = try await access.act(
      ActRequest(kind: kind, orders: named, reason: reason, note: note, actor: Self.actor, apply: yes))
    if global.json {
      for line in report.lines { StandardStreams.write(try JSONEncoder.contractText(line) + "\n") }
    } else {
      StandardStreams.write(Self.text(report))
    }
    guard report.lines.allSatisfy({ $0.id != nil }) else {
      throw CommandFailure(.noSuchEntry, "not every order is in the ledger; see `conversiond queue list`")
    }
    guard report.lines.isEmpty || report.lines.contains(where: \.isPossible) else {
      throw CommandFailure(.degraded, "nothing was changed: it is possible for none of these orders")
    }
  }

  /// The user who types it, by the name before sudo.
  static var actor: String {
    let uid = getuid()
    let name = ProcessInfo.processInfo.environment["SUDO_USER"] ?? NSUserName()
    return "\(name) (uid \(uid))"
  }

  private static func text(_ report: ActReport) -> String {
    guard !report.lines.isEmpty else { return "no order to do that to\n" }
    var table = Table(["entry", "order", "state", "result"], right: [0])
    for line in report.lines {
      table.add([line.id.map { "#\($0)" } ?? "-", line.order, line.state ?? "-", line.result])
    }
    let possible = report.lines.count(where: \.isPossible)
    let end =
      report.applied || possible == 0
      ? "" : "\(possible) of \(report.lines.count); nothing was changed; --yes does it\n"
    return table.text + end
  }
}
