import Conversions
import Orders

/// Sweeps a shop's table as intake does: piece by piece and range by range, keeping each range's mark.
struct Sweeping {
  let orders: ShopOrders
  private(set) var survey: ShopSurvey
  private(set) var ranges = [SweepRange(number: 1)]
  /// The last page's warnings.
  private(set) var warnings: [String] = []
  /// Transactions so far.
  private(set) var pieces = 0
  private(set) var counted: [Outcome: Int] = [:]
  /// The number of times a sweep may run into a time limit before it gives up.
  var failuresMax = 0

  init(_ orders: ShopOrders) async throws {
    self.orders = orders
    survey = try await orders.survey()
  }

  /// Surveys the table again, as after a change of it: all marks are forgotten.
  mutating func surveyAgain() async throws {
    survey = try await orders.survey()
    ranges = [SweepRange(number: 1)]
  }

  /// One sweep over every range; whole, or only what changed since the marks.
  mutating func sweep(whole: Bool = false, screen: OrderScreen = .everything) async throws -> [SeenOrder] {
    var found: [SeenOrder] = []
    var index = 0
    counted = [:]
    while index < ranges.count {
      found += try await read(index, whole: whole, screen: screen)
      index += 1
    }
    return found
  }

  /// The rows of a sweep, sorted by their keys: numbers by value, texts after them.
  mutating func rows(whole: Bool = false, screen: OrderScreen = .everything) async throws -> [OrderRow] {
    try await sweep(whole: whole, screen: screen).map(\.row).sorted { left, right in
      switch (Int64(left.key.text), Int64(right.key.text)) {
      case (let left?, let right?): left < right
      case (nil, nil): left.key.text < right.key.text
      case (let left, _): left != nil
      }
    }
  }

  /// The keys of a sweep's orders, sorted.
  mutating func keys(whole: Bool = false) async throws -> [String] {
    try await rows(whole: whole).map(\.key.text)
  }

  /// Sweeps until nothing more changes. Other tests' transactions on the same server hold back its horizon, and a page
  /// that took long makes the next ranges smaller.
  mutating func reachesCalm() async throws -> Bool {
    for _ in 0..<200 {
      if try await sweep().isEmpty { return true }
      try await Task.sleep(for: .milliseconds(50))
    }
    return false
  }

  /// Reads one range to its end.
  private mutating func read(_ index: Int, whole: Bool, screen: OrderScreen) async throws -> [SeenOrder] {
    var piece = SweepPiece(range: ranges[index], isWhole: whole)
    var found: [SeenOrder] = []
    var mark: String?
    while true {
      let page = try await page(piece, screen)
      if piece.from == nil { mark = page.mark }
      found += page.orders
      counted.merge(page.counted, uniquingKeysWith: +)
      warnings = page.warnings
      pieces += 1
      if let split = page.split {
        let upper = ranges[index].upper
        ranges.append(
          SweepRange(number: Int64(ranges.count + 1), lower: split.at, upper: upper, mark: split.mark))
        ranges[index].upper = split.at
      }
      guard let next = page.next else { break }
      piece = SweepPiece(range: ranges[index], from: next, isWhole: whole)
    }
    ranges[index].mark = mark
    return found
  }

  private mutating func page(_ piece: SweepPiece, _ screen: OrderScreen) async throws -> SweepPage {
    while true {
      do {
        return try await orders.sweep(piece, of: survey, screen: screen)
      } catch let failure as OrderSourceFailure where failure.kind == .transient && failuresMax > 0 {
        failuresMax -= 1
      }
    }
  }
}

extension OrderScreen {
  /// Looks at every row closely.
  static var everything: OrderScreen {
    OrderScreen(
      takesOrdersFrom: nil, oldBefore: Timestamp(microseconds: .min), coveredHorizon: nil, known: KnownKeys())
  }
}
