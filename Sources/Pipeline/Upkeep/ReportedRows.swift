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
  static let age = Duration.seconds(60 * 86_400)
  /// The wait between two looks at whether the first walk is over.
  static let walkWait = Duration.seconds(5)
  /// Rows looked for in one transaction of the shop's.
  static let batchMax = 200
  /// The least rest between two batches, as a shop's database has more to do.
  static let restMin = Duration.milliseconds(20)

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
    // Tells of no outage: intake, which reads the same table, does.
    var retrying = RetryingLoop(context, "looking at reported orders", outage: nil)
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
      let rest = (context.clock.uptime - began) * 9
      try await context.clock.sleep(for: max(rest, Self.restMin))
    }
    try await finish(look)
  }

  /// The result of a look, as far as it came.
  private struct Look: Sendable {
    var looked = 0
    /// The orders whose rows are newly absent.
    var absent: [EntryID: RowSighting] = [:]
    var changed: [ChangedSince] = []
  }

  private func take(_ batch: [ReportedPlace], _ look: inout Look) async throws {
    let sightings = try await context.orders.orders(withKeys: batch.map(\.key))
    let so = look
    look = try await context.ledger.transaction { transaction in
      var look = so
      for place in batch {
        guard let sighting = sightings[place.key], let order = try transaction.entry(place.entry),
          order.row.key == place.key
        else { continue }
        switch sighting {
        case .hidden, .unproven: continue
        case .gone, .excluded:
          if order.changedSince != .cancelledSince { look.absent[place.entry] = sighting }
        case .shown(let row):
          if let changed = try ChangedSince(of: order, row, amounts, transaction) { look.changed.append(changed) }
        }
        look.looked += 1
      }
      return look
    }
  }

  private func finish(_ look: Look) async throws {
    var changed = look.changed
    if ChangeAfterReport.areCancelled(look.absent.count, of: look.looked) {
      changed += try await context.ledger.transaction { transaction in
        try look.absent.compactMap { entry, sighting in
          try transaction.entry(entry).flatMap { try ChangedSince(absent: $0, as: sighting, transaction) }
        }
      }
    } else {
      context.log.event(
        .changedSince, .notice,
        "\(look.absent.count) of \(look.looked) orders that were reported in the last 60 days have no row any more, or are "
          + "left out by orders.where: so many at once are taken for archived, and none is counted as cancelled_since. "
          + "If they are cancelled, correct them in the partner dashboard")
    }
    ChangedSince.log(changed, to: context.log)
  }
}
