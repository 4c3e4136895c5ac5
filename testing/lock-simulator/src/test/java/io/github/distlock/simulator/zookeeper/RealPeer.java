package io.github.distlock.simulator.zookeeper;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.util.function.IntUnaryOperator;
import org.apache.jute.BinaryInputArchive;
import org.apache.jute.BinaryOutputArchive;
import org.apache.jute.Record;
import org.apache.zookeeper.proto.ConnectRequest;
import org.apache.zookeeper.proto.ConnectResponse;
import org.apache.zookeeper.proto.ReplyHeader;
import org.apache.zookeeper.proto.RequestHeader;
import org.jspecify.annotations.Nullable;

/** A connection to a real server. */
final class RealPeer implements Peer {
    private static final int PATIENCE = 60_000;

    private final Socket socket;
    private final DataInputStream in;
    private final DataOutputStream out;

    RealPeer(String host, int port) {
        try {
            socket = new Socket(host, port);
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(PATIENCE);
            in = new DataInputStream(socket.getInputStream());
            out = new DataOutputStream(socket.getOutputStream());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public ConnectResponse connect(ConnectRequest request) {
        try {
            write(null, request);
            ConnectResponse response = new ConnectResponse();
            response.deserialize(read(), "connect");
            return response;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void send(RequestHeader header, @Nullable Record body) {
        try {
            write(header, body);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void write(@Nullable RequestHeader header, @Nullable Record body) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        BinaryOutputArchive archive = BinaryOutputArchive.getArchive(bytes);
        if (header != null) {
            header.serialize(archive, "header");
        }
        if (body != null) {
            body.serialize(archive, "request");
        }
        out.writeInt(bytes.size());
        bytes.writeTo(out);
        out.flush();
    }

    private BinaryInputArchive read() throws IOException {
        byte[] bytes = new byte[in.readInt()];
        in.readFully(bytes);
        return BinaryInputArchive.getArchive(new ByteArrayInputStream(bytes));
    }

    @Override
    public Message receive(IntUnaryOperator types) {
        try {
            BinaryInputArchive archive = read();
            ReplyHeader header = new ReplyHeader();
            header.deserialize(archive, "header");
            Record body = header.getErr() == 0 ? Message.bodyOf(header.getXid(), types) : null;
            if (body != null) {
                body.deserialize(archive, "response");
            }
            return new Message(header, body);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
