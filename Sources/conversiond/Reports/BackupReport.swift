import Foundation

/// The report of `backup`. The shape is a contract, like `StatusReport`'s.
struct BackupReport: Codable, Sendable {
  var version = 1
  /// The path of the backup.
  var file: String
  var ledger: String
  var bytes: Int
  var orders: Int
  /// The number of those that were reported.
  var reports: Int
  /// The time up to which all is in it.
  var asOf: String

  var text: String {
    let size = bytes < 1 << 20 ? "\((bytes + 1023) >> 10) KiB" : "\(bytes >> 20) MiB"
    return Table.printable("\(file): \(size), \(orders) orders, \(reports) of them reported, as of \(asOf)") + "\n"
  }
}
