public import Conversions
import Logging
public import ServiceLifecycle

/// The loop that looks at the rows of reported orders: after the first walk, and then once a day.
///
/// A row that was deleted, or that `orders.where` leaves out, is nothing that the sweep shows: most shops cancel in that
/// way, and a cancelled order that was paid for would never be told. So would a total that another table holds.
public struct ReportedRows: Service {
  /// The time between two looks.
  static let interval = Duration.seconds(86_400)
  /// The time after a report in which its row is looked at: longer than goods are sent back, shorter than most archives
  /// keep.
  public static let age = Duration.seconds(60 * 86_400)
  /// The wait between two looks at whether the first walk is over.
  static let walkWait = Duration.seconds(5)
  /// Rows looked for in one transaction of the shop's.
  static let batchMax = 200

  private let context: PipelineContext
  private let amounts: AmountRules

  /// A look that compares by the rules on amounts.
  public init(_ context: PipelineContext, rules: AttributionRules) {
    self.context = context
    amounts = rules.amounts
  }

  /// Looks until the task is cancelled or a graceful shutdown begins; a failure is waited out.
  public func run() async throws {
    await cancelWhenGracefulShutdown { await loop() }
  }

  private func loop() async {
    let startedAt = context.clock.now
    // Tells of no outage of the shop's: intake, which reads the same table, does.
    var retrying = RetryingLoop(context, .lookingAtReported)
    await retrying.run { retrying in
      // A table that was loaded anew has its orders under other keys until they were read.
      let walked = try await context.ledger.transaction { try $0.intakeProgress().lastWalkAt }
      guard let walked, walked >= startedAt else { return try await context.clock.sleep(for: Self.walkWait) }
      try await lookAtAll()
      retrying.succeed()
      try await context.clock.sleep(for: Self.interval)
    } failure: {
      RetryingLoop.Failure(message: "\($0)")
    }
  }

  private func lookAtAll() async throws {
    var look = Look()
    var place = ReportedPlace(before: context.clock.now - Self.age)
    while true {
      let (began, from) = (context.clock.uptime, place)
      let batch = try await context.ledger.transaction { try $0.reported(after: from, limit: Self.batchMax) }
      guard let last = batch.last else { break }
      place = last
      try await take(batch, &look)
      try await context.restFromUpkeep(since: began)
    }
    try await finish(look)
  }

  /// The result of a look, as far as it came.
  private struct Look: Sendable {
    var rows = AbsentRows()
    var sightings: [EntryID: RowSighting] = [:]
    var changed: [ChangedSince] = []
  }

  private func take(_ batch: [ReportedPlace], _ look: inout Look) async throws {
    let sightings = try await context.orders.orders(withKeys: batch.map(\.key))
    let before = look
    look = try await context.ledger.transaction { transaction in
      var look = before
      for place in batch {
        guard let sighting = sightings[place.key], let order = try transaction.entry(place.entry),
          order.row.key == place.key
        else { continue }
        let placedAt = order.order?.placedAt.earliest
        switch sighting {
        case .hidden, .unproven: continue
        case .gone, .excluded:
          if let known = order.changedSince, known != .amountChanged { continue }
          look.rows.miss(place.entry, placedAt: placedAt)
          look.sightings[place.entry] = sighting
        case .shown(let row):
          look.rows.show(placedAt: placedAt)
          if let changed = try ChangedSince(of: order, row, amounts, transaction) { look.changed.append(changed) }
        }
      }
      return look
    }
  }

  private func finish(_ look: Look) async throws {
    let verdict = look.rows.verdict()
    let (cancelled, names) = try await context.ledger.transaction { transaction in
      for entry in verdict.aged + verdict.many { try transaction.noteChangedSince(entry, .archived) }
      let cancelled = try verdict.cancelled.compactMap { entry in
        try transaction.entry(entry).flatMap { order in
          try look.sightings[entry].flatMap { try ChangedSince(absent: order, as: $0, transaction) }
        }
      }
      let names = try verdict.many.sorted { $0.number < $1.number }.prefix(ChangedSince.linesMax).compactMap {
        try transaction.entry($0)?.orderID
      }
      return (cancelled, names)
    }
    if !verdict.many.isEmpty {
      let others = verdict.many.count > names.count ? " and others" : ""
      context.log.event(
        .changedSince, .warning,
        "\(verdict.many.count) of \(look.rows.count) orders that were reported in the last 60 days have no row any more, or are "
          + "left out by orders.where, so many at once that they are taken for archived: \(names.joined(separator: ", "))\(others). "
          + "If they were cancelled, correct them in the partner dashboard")
    }
    if !verdict.aged.isEmpty {
      context.log.event(
        .changedSince, .info,
        "\(verdict.aged.count) reported orders, older than nearly all others, have no row any more, or are left out by "
          + "orders.where: they are taken for archived")
    }
    ChangedSince.log(look.changed + cancelled, to: context.log)
  }
}
