/// Turns a fault into the reply that shows it.
extension SandboxFault {
  /// Returns the reply to a request whose true answer is `response`; that is `nil` if the work was left undone.
  func reply(_ response: HTTPResponse?) -> Reply {
    let response = response ?? HTTPResponse(status: 500)
    return switch self {
    case .answer(let answer, _): Reply(response: answer.response)
    case .delay: Reply(response: response)
    case .hang: Reply(response: response, delivery: .hang)
    case .reset: Reply(response: response, delivery: .reset)
    case .truncate(let bodyBytes): Reply(response: response, delivery: .truncated(bodyBytes: bodyBytes))
    case .loseAnswer: Reply(response: response, delivery: .lost)
    case .trickle(let interval): Reply(response: response, delivery: .trickled(every: interval))
    case .garbage(.huge(let bytes)): Self.huge(response, bytes: max(14, bytes))
    case .garbage(let garbage): Reply(response: garbage.spoil(response))
    }
  }

  private static func huge(_ response: HTTPResponse, bytes: Int) -> Reply {
    var response = response
    response.body = []
    response.headers.append(HTTPHeader("Content-Length", String(bytes)))
    return Reply(response: response, delivery: .padded(bytes))
  }
}

extension SandboxFault.Garbage {
  fileprivate func spoil(_ response: HTTPResponse) -> HTTPResponse {
    var spoilt = response
    switch self {
    case .trailing: spoilt.body += Array("}]trailing garbage\u{0}".utf8)
    case .notJSON: spoilt.body = Array("this is not JSON: <<<".utf8)
    case .huge: break
    case .deep(let levels):
      spoilt.body =
        [UInt8](repeating: UInt8(ascii: "["), count: levels) + [UInt8](repeating: UInt8(ascii: "]"), count: levels)
    }
    return spoilt
  }
}
