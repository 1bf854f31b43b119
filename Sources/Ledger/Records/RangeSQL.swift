import Conversions
import Foundation
import GRDB

extension SQLiteTransaction {
  func ranges() throws -> [SweepRange] {
    try Row.fetchAll(db, sql: "SELECT * FROM ranges ORDER BY number").map { row in
      var range = SweepRange(
        number: try row.decode(forColumn: "number"), lower: try row.decode(forColumn: "lower"),
        upper: try row.decode(forColumn: "upper"), mark: try row.decode(forColumn: "mark"))
      range.readAt = OrderCoding.time(try row.decode(forColumn: "read_at"))
      range.wholeAt = OrderCoding.time(try row.decode(forColumn: "whole_at"))
      range.placedLatest = OrderCoding.time(try row.decode(forColumn: "placed_latest"))
      range.counts = try Self.counts(row.decode(forColumn: "counts"))
      return range
    }
  }

  func setRange(_ range: SweepRange) throws {
    let counts = Dictionary(uniqueKeysWithValues: range.counts.map { ($0.rawValue, $1) })
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    try execute(
      """
      INSERT INTO ranges (number, lower, upper, mark, read_at, whole_at, placed_latest, counts)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (number) DO UPDATE SET lower = excluded.lower, upper = excluded.upper, mark = excluded.mark,
        read_at = excluded.read_at, whole_at = excluded.whole_at, placed_latest = excluded.placed_latest,
        counts = excluded.counts
      """,
      [
        range.number, range.lower, range.upper, range.mark, range.readAt?.microseconds, range.wholeAt?.microseconds,
        range.placedLatest?.microseconds, String(decoding: try encoder.encode(counts), as: UTF8.self),
      ])
  }

  func removeRanges() throws { try execute("DELETE FROM ranges") }

  func tally(_ outcome: Outcome, _ count: Int) throws {
    try execute(
      """
      INSERT INTO tallies (outcome, count) VALUES (?, ?) ON CONFLICT (outcome) DO UPDATE SET count = count + excluded.count
      """, [outcome.rawValue, count])
  }

  func clearTallies() throws { try execute("DELETE FROM tallies") }

  func dismissedCounts() throws -> [Outcome: Int] {
    var all: [Outcome: Int] = [:]
    for text in try String.fetchAll(db, sql: "SELECT counts FROM ranges WHERE counts <> '{}'") {
      all.merge(try Self.counts(text), uniquingKeysWith: +)
    }
    for row in try Row.fetchAll(db, sql: "SELECT outcome, count FROM tallies") {
      guard let outcome = Outcome(rawValue: try row.decode(forColumn: "outcome")) else { continue }
      all[outcome, default: 0] += try OrderCoding.count(row.decode(forColumn: "count"))
    }
    return all
  }

  private static func counts(_ text: String) throws -> [Outcome: Int] {
    let counts = (try? JSONDecoder().decode([String: Int64].self, from: Data(text.utf8))) ?? [:]
    return try counts.reduce(into: [:]) { result, count in
      if let outcome = Outcome(rawValue: count.key) { result[outcome] = try OrderCoding.count(count.value) }
    }
  }
}
