import Conversions
import Foundation

/// The content of a pacer's file: a line that says what follows, then JSON.
///
/// The line has the length and a digest of the JSON, so that a file that a kill or a full disk left incomplete is known
/// as such; bytes after a shorter text are ignored.
struct PacerRecord: Codable, Equatable {
  /// The format of this program.
  static let version = 2
  /// The largest size of a file of ours, in bytes.
  static let bytesMax = 1 << 20
  private static let mark = "conversiond-pacer"

  /// The boot in which the times were taken.
  var bootID: String
  /// The uptime at which it was written.
  var savedAt: Duration
  /// The state of the limits.
  var pacing: HostPacing

  /// Returns the file's bytes.
  func encoded() throws -> [UInt8] {
    let json = [UInt8](try JSONEncoder().encode(self))
    let header = "\(Self.mark) \(Self.version) \(json.count) \(Self.digest(json))\n"
    return Array(header.utf8) + json + [UInt8(ascii: "\n")]
  }

  /// Reads a file; nil for an incomplete one, one that is not ours, and one of a newer version.
  init?(_ bytes: [UInt8]) {
    guard let end = bytes.prefix(200).firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    let words = String(decoding: bytes[..<end], as: UTF8.self).split(separator: " ")
    guard words.count == 4, words[0] == Self.mark, Int(words[1]) == Self.version, let length = Int(words[2]),
      length >= 0, length <= bytes.count - end - 1
    else { return nil }
    let json = Array(bytes[(end + 1)..<(end + 1 + length)])
    guard words[3] == Self.digest(json), let record = try? JSONDecoder().decode(Self.self, from: Data(json)) else {
      return nil
    }
    self = record
  }

  /// Makes a record from its values.
  init(bootID: String, savedAt: Duration, pacing: HostPacing) {
    (self.bootID, self.savedAt, self.pacing) = (bootID, savedAt, pacing)
  }

  /// Returns the pacing as of this boot and moment.
  func pacing(inBoot boot: String, at now: Duration) -> HostPacing {
    var pacing = pacing
    if boot != bootID { pacing.rebase(from: savedAt, to: now) }
    pacing.limitToPast(of: now)
    return pacing
  }

  private static func digest(_ json: [UInt8]) -> String {
    var digest = ContentDigest()
    digest.combine(String(decoding: json, as: UTF8.self))
    return String(UInt64(bitPattern: digest.bits), radix: 16)
  }
}
