/// `openssl s_server` with a certificate of some sort: an HTTPS server that answers every GET with a page of its own.
public final class TLSServer: Sendable {
  private let process: ChildProcess
  /// Its port on 127.0.0.1.
  public let port: Int

  /// Starts one with `NAME.pem` of a folder of certificates; speaking a version such as `tls1_1`, and no other.
  public init(folder: String, certificate name: String, speaking version: String? = nil) async throws {
    process = try ChildProcess(
      "openssl",
      [
        "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", "\(folder)/\(name).pem", "-key",
        "\(folder)/\(name == "alone" ? "alone" : "good").key",
      ] + (version.map { ["-\($0)", "-cipher", "ALL:@SECLEVEL=0"] } ?? []))
    let process = process
    let isUp = await eventually { process.outputLines.contains { $0.hasPrefix("ACCEPT") } }
    let line = process.outputLines.first { $0.hasPrefix("ACCEPT") }
    guard isUp, let port = line?.split(separator: ":").last.flatMap({ Int($0) }) else {
      throw TestHostError("openssl s_server: \(process.standardError)")
    }
    self.port = port
  }

  /// Ends it.
  public func stop() async {
    // Not SIGTERM, which a child inherits as blocked from the threads that tests run on.
    process.signal(9)
    _ = try? await process.wait()
  }

  /// Returns true if there is an openssl command.
  public static func isAvailable() async -> Bool {
    (try? await ChildProcess.run("openssl", ["version"]).end) == .exited(0)
  }

  /// Makes `ca.pem`, and certificates by it: `good`, `expired` and `other` (for another host); and `alone`, signed by
  /// itself.
  public static func makeCertificates(in folder: String) async throws {
    let new = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    let sign = "openssl x509 -req -in good.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile ext"
    let script = """
      set -e; cd "$0"
      openssl req -x509 \(new) -keyout ca.key -out ca.pem -subj /CN=CA -days 2
      openssl req -x509 \(new) -keyout alone.key -out alone.pem -subj /CN=x -days 2 -addext subjectAltName=IP:127.0.0.1
      openssl req \(new) -keyout good.key -out good.csr -subj /CN=x
      echo subjectAltName=IP:127.0.0.1 > ext
      \(sign) -days 2 -out good.pem
      \(sign) -days -1 -out expired.pem
      echo subjectAltName=DNS:a.example > ext
      \(sign) -days 2 -out other.pem
      """
    let made = try await ChildProcess.run("sh", ["-c", script, folder])
    guard made.end == .exited(0) else { throw TestHostError("openssl: \(made.errors)") }
  }
}
