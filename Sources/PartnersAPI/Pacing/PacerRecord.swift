import Conversions
import Foundation

/// What a pacer's file holds, and how: a line that says what follows, then JSON.
///
/// The line has the length and a digest of the JSON, so that a file that was torn by a kill or a full disk is known as
/// such; what is left behind a shorter text is not looked at.
struct PacerRecord: Codable, Equatable {
  /// The format of this program.
  static let version = 1
  /// The most that a file of ours can have, in bytes.
  static let bytesMax = 1 << 20
  private static let mark = "conversiond-pacer"

  /// The boot in which the times were taken.
  var bootID: String
  /// The uptime at which it was written.
  var savedAt: Duration
  /// What it is all about.
  var pacing: HostPacing

  /// The file's bytes.
  func encoded() throws -> [UInt8] {
    let json = [UInt8](try JSONEncoder().encode(self))
    let header = "\(Self.mark) \(Self.version) \(json.count) \(Self.digest(json))\n"
    return Array(header.utf8) + json + [UInt8(ascii: "\n")]
  }

  /// Reads a file; nil for a torn one, one that is not ours, and one of a newer version.
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

  /// A record from its values.
  init(bootID: String, savedAt: Duration, pacing: HostPacing) {
    (self.bootID, self.savedAt, self.pacing) = (bootID, savedAt, pacing)
  }

  /// The pacing as of this boot and moment.
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
