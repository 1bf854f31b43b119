import Conversions
import Foundation
import GRDB

/// Puts the pages that hold an empty ledger's schema in the place of a damaged copy's: without them SQLite finds no
/// table, though all rows may be there.
///
/// A ledger that this version has made, and one that was vacuumed since, have their tables' first pages where an empty
/// one has them. Where they are elsewhere, what is read is nonsense, and is not believed: each order must be what its
/// digest says.
enum SchemaGraft {
  private static let pageSize = 4096

  /// Copies `old` to `target` with the schema of an empty ledger, which is made at `empty`.
  ///
  /// - Returns: False where it can't be.
  static func graft(_ old: String, to target: String, empty: String, isVacuumed: Bool) -> Bool {
    do {
      do { try SQLiteLedger(path: empty).close() }
      if isVacuumed {
        let queue = try DatabaseQueue(path: empty)
        try queue.vacuum()
        try queue.close()
      }
      let schema = try [UInt8](Data(contentsOf: URL(fileURLWithPath: empty)))
      var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: old)))
      // Whole pages only, as many as the header will say.
      bytes.removeLast(bytes.count % pageSize)
      let pages = pagesOfSchema(schema)
      guard let last = pages.max(), last * pageSize <= bytes.count, last * pageSize <= schema.count else {
        return false
      }
      for page in pages {
        let place = (page - 1) * pageSize..<page * pageSize
        bytes.replaceSubrange(place, with: schema[place])
      }
      let count = UInt32(bytes.count / pageSize)
      // The size in pages, and an empty list of free ones (SQLite, Database File Format, 1.3).
      for (offset, value) in [(28, count), (32, 0), (36, 0)] {
        for byte in 0..<4 { bytes[offset + byte] = UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32(byte))) }
      }
      // The size is believed where both counters are the same.
      bytes.replaceSubrange(92..<96, with: bytes[24..<28])
      try Data(bytes).write(to: URL(fileURLWithPath: target))
      return true
    } catch {
      return false
    }
  }

  /// The pages of the tree that begins on the first page, where the schema is (SQLite, Database File Format, 1.6).
  private static func pagesOfSchema(_ bytes: [UInt8]) -> [Int] {
    var (found, pending) = ([Int](), [1])
    while let page = pending.popLast() {
      let start = (page - 1) * pageSize
      guard page > 0, start + pageSize <= bytes.count, found.count < 100 else { return [] }
      found.append(page)
      let header = page == 1 ? start + 100 : start
      // Only an interior page has children.
      guard bytes[header] == 5 else { continue }
      let cells = Int(bytes[header + 3]) << 8 | Int(bytes[header + 4])
      pending.append(number(bytes, header + 8))
      for cell in 0..<min(cells, 500) {
        let pointer = header + 12 + cell * 2
        pending.append(number(bytes, start + (Int(bytes[pointer]) << 8 | Int(bytes[pointer + 1]))))
      }
    }
    return found
  }

  private static func number(_ bytes: [UInt8], _ offset: Int) -> Int {
    guard offset + 4 <= bytes.count else { return 0 }
    return bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
  }
}
