import CLibcurl

/// Tells if a name server that doesn't answer holds up more than the one transfer that asked it, by this host's
/// libcurl.
public enum NameResolving {
  /// The feature bit of look-ups by threads of libcurl's own (libcurl, curl_version_info, CURL_VERSION_ASYNCHDNS).
  private static let isThreadedBit: Int32 = 1 << 7
  /// The first version that does not wait for such a thread when a transfer ends: 7.87.0 (libcurl, CURLOPT_QUICK_EXIT).
  private static let leavesThreadsBehind: UInt32 = 0x075700

  /// The limit of this host's libcurl; nil if a transfer ends at its deadline, whatever becomes of its look-up, and the
  /// others go on.
  public static var limit: String? {
    // Reads fields that the answer has had since its first version.
    guard let info = unsafe curl_version_info(CURLVERSION_FIRST) else { return nil }
    return limit(number: unsafe info.pointee.version_num, features: unsafe info.pointee.features)
  }

  static func limit(number: UInt32, features: Int32) -> String? {
    let version = "libcurl \(number >> 16).\(number >> 8 & 0xff).\(number & 0xff)"
    if features & isThreadedBit == 0 { return "\(version) looks names up without a deadline of its own" }
    if number < leavesThreadsBehind { return "\(version) waits for a look-up that is past its deadline" }
    return nil
  }
}
