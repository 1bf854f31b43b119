import Conversions
import Foundation

/// How far a walk over the table has come, as this version writes it into an `IntakePosition`.
struct WalkPosition: Hashable, Codable {
  /// The form's version.
  static let versionWritten = 1

  var version = versionWritten
  /// Counts walks from 1.
  var walk: Int
  /// The last key of the page; nil at the start of a walk.
  var key: String?
  /// `pg_snapshot_xmin` of the page's snapshot: a version that it did not see has an xmin not below this.
  var horizon: String?
  /// Which mapping the key belongs to.
  var mapping: String

  private enum CodingKeys: String, CodingKey {
    case version = "v"
    case walk, key, horizon, mapping
  }

  init(walk: Int, key: String?, horizon: String?, mapping: String) {
    self.walk = walk
    self.key = key
    self.horizon = horizon
    self.mapping = mapping
  }

  /// Reads a position; nil for one that this version did not write, which starts a new walk.
  init?(_ position: IntakePosition?) {
    guard let text = position?.text,
      let read = try? JSONDecoder().decode(WalkPosition.self, from: Data(text.utf8)),
      read.version == Self.versionWritten, read.walk >= 1
    else { return nil }
    self = read
  }

  /// The position in the source's own words.
  var encoded: IntakePosition {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Strings and integers always encode; an empty text would only start a new walk.
    let data = (try? encoder.encode(self)) ?? Data()
    return IntakePosition(String(decoding: data, as: UTF8.self))
  }
}

extension OrderMapping {
  /// Tells positions of this mapping from those of another: what is walked, in which order.
  func walkDigest(_ key: KeyType) -> String {
    var digest = ContentDigest()
    for part in [from, keyExpression.sql, condition, key.name, key.isEscaped ? "1" : "0"] { digest.combine(part) }
    return String(UInt64(bitPattern: digest.bits), radix: 16)
  }
}
