"""The ears of the shipped bundle for training: Whisper's encoder and Ultravox' projector, with the names that
their checkpoints have, and how weft puts what they hear into a request.
"""
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import model as M

AUDIO = dict(d_model=96, num_mel_bins=80, max_source_positions=1500, encoder_layers=2, encoder_attention_heads=3,
             encoder_ffn_dim=384, activation_function="gelu", scale_embedding=False)
PROJECTOR = dict(hidden_size=256, stack_factor=8)
HOP, WINDOW = 160, 3000
ROW_S = 2 * PROJECTOR["stack_factor"] * HOP / 16000
BLOCK_S = 2  # base/anchor.h


def mel_filters(n_mels):
    """Slaney's, as Whisper has them: [n_mels, 201]."""
    def hertz(m):
        return np.where(m < 15, m * 200 / 3, 1000 * np.exp((m - 15) * math.log(6.4) / 27))
    h = hertz(np.linspace(0, 15 + 27 * math.log(8) / math.log(6.4), n_mels + 2))
    f = np.arange(201) * 40.0
    rise, fall = (f - h[:-2, None]) / np.diff(h)[:-1, None], (h[2:, None] - f) / np.diff(h)[1:, None]
    return torch.from_numpy(np.maximum(0, np.minimum(rise, fall)) * (2 / (h[2:] - h[:-2]))[:, None]).float()


FILTERS = mel_filters(AUDIO["num_mel_bins"])


def log_mel(samples):
    """[bins, frames] of one clip, padded to whole hops, at least two."""
    n = max(-(-len(samples) // HOP), 2)
    x = F.pad(torch.from_numpy(np.ascontiguousarray(samples)), (0, n * HOP - len(samples)))
    power = torch.stft(x, 400, HOP, window=torch.hann_window(400), return_complex=True)[:, :-1].abs() ** 2
    log = (FILTERS @ power).clamp(min=1e-10).log10()
    return (log.maximum(log.max() - 8) + 4) / 4


class SelfAttn(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.q_proj, self.v_proj, self.out_proj = (nn.Linear(d, d) for _ in range(3))
        self.k_proj = nn.Linear(d, d, bias=False)


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        d, f = AUDIO["d_model"], AUDIO["encoder_ffn_dim"]
        self.self_attn = SelfAttn(d)
        self.self_attn_layer_norm, self.final_layer_norm = nn.LayerNorm(d), nn.LayerNorm(d)
        self.fc1, self.fc2 = nn.Linear(d, f), nn.Linear(f, d)

    def forward(self, x, mask):
        a, h = self.self_attn, self.self_attn_layer_norm(x)
        q, k, v = (p(h).unflatten(-1, (AUDIO["encoder_attention_heads"], -1)).transpose(1, 2)
                   for p in (a.q_proj, a.k_proj, a.v_proj))
        x = x + a.out_proj(F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(-2))
        return x + self.fc2(F.gelu(self.fc1(self.final_layer_norm(x))))


def sinusoids(length, d):
    a = torch.arange(length).float()[:, None] * torch.exp(-torch.arange(d // 2) * math.log(10000) / (d // 2 - 1))
    return torch.cat((a.sin(), a.cos()), 1)


class Tower(nn.Module):
    def __init__(self):
        super().__init__()
        d = AUDIO["d_model"]
        self.conv1 = nn.Conv1d(AUDIO["num_mel_bins"], d, 3, padding=1)
        self.conv2 = nn.Conv1d(d, d, 3, stride=2, padding=1)
        self.embed_positions = nn.Embedding(AUDIO["max_source_positions"], d)
        self.embed_positions.weight.data = sinusoids(AUDIO["max_source_positions"], d)
        self.embed_positions.weight.requires_grad_(False)
        self.layers = nn.ModuleList(Layer() for _ in range(AUDIO["encoder_layers"]))
        self.layer_norm = nn.LayerNorm(d)

    def forward(self, mel, lengths):
        """mel [B, bins, T] of clips with so many frames: each gives what it gives alone."""
        x = F.gelu(self.conv1(mel)) * (torch.arange(mel.shape[2]) < lengths[:, None]).unsqueeze(1)
        x = F.gelu(self.conv2(x)).transpose(1, 2)
        heard = torch.arange(x.shape[1]) < ((lengths + 1) // 2)[:, None]
        x = x + self.embed_positions.weight[:x.shape[1]]
        for layer in self.layers:
            x = layer(x, heard[:, None, None])
        return self.layer_norm(x) * heard.unsqueeze(-1), heard


class Projector(nn.Module):
    def __init__(self):
        super().__init__()
        d, mid = AUDIO["d_model"] * PROJECTOR["stack_factor"], PROJECTOR["hidden_size"]
        self.ln_pre, self.ln_mid = nn.RMSNorm(d, eps=1e-6), nn.RMSNorm(mid // 2, eps=1e-6)
        self.linear_1 = nn.Linear(d, mid, bias=False)
        self.linear_2 = nn.Linear(mid // 2, M.TEXT["hidden_size"], bias=False)

    def forward(self, x):
        a, b = self.linear_1(self.ln_pre(x)).chunk(2, -1)
        return self.linear_2(self.ln_mid(a * F.silu(b)))


class Ears(nn.Module):
    def __init__(self):
        super().__init__()
        self.audio_tower, self.multi_modal_projector = Tower(), Projector()

    def encode(self, clips, change=None):
        """-> frames [B, T, d], which of them are of the clip, frames of mel of each."""
        mels = [log_mel(c[:WINDOW * HOP]) for c in clips]
        lengths = torch.tensor([m.shape[1] for m in mels])
        mel = torch.stack([F.pad(m, (0, int(lengths.max()) - m.shape[1])) for m in mels])
        return *self.audio_tower(mel if change is None else change(mel), lengths), lengths

    def project(self, frames, lengths):
        """-> the rows of each clip, 160 ms each."""
        stack = PROJECTOR["stack_factor"]
        x = F.pad(frames, (0, 0, 0, -frames.shape[1] % stack)).unflatten(1, (-1, stack)).flatten(2)
        return [y[:n] for y, n in zip(self.multi_modal_projector(x), (-(-lengths // (2 * stack))).tolist())]


def document(parts, row_id):
    """The ids of a document of parts, in the order of time: (begins at second, rows of sound) or (second, text).

    Each block of two seconds holds its marker, text, and the rows that begin in it (encoders/encoders.h)."""
    pieces = []
    for order, (start, what) in enumerate(parts):
        if isinstance(what, bytes):
            pieces.append((int(start) // BLOCK_S, 0, order, [*what, *b"\n"]))
            continue
        rows = {}
        for i in range(what):
            rows[int(start + i * ROW_S) // BLOCK_S] = rows.get(int(start + i * ROW_S) // BLOCK_S, 0) + 1
        pieces += [(block, 1, order, [*[row_id] * n, *b"\n"]) for block, n in rows.items()]
    out, before = [], None
    for block, _, _, ids in sorted(pieces):
        if block != before:
            s = block * BLOCK_S
            out += f"[{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}]\n".encode()
        out, before = out + ids, block
    return out


class Frozen:
    """The backbone behind a system turn, which is computed once."""

    @torch.no_grad()
    def __init__(self, weft, prefix_ids):
        self.model, self.head, self.keys, self.n = weft.language_model.model, weft.language_model.lm_head, [], len(prefix_ids)
        x, (cos, sin) = self.model.embed_tokens(prefix_ids), self.angles(0, self.n)
        group = M.TEXT["num_attention_heads"] // M.TEXT["num_key_value_heads"]
        for layer in self.model.layers:
            q, k, v = layer.self_attn.qkv(layer.input_layernorm(x), (cos, sin))
            k, v = (t.transpose(0, 1).repeat_interleave(group, 0)[None] for t in (k, v))
            self.keys.append((k, v))
            o = F.scaled_dot_product_attention(q.transpose(0, 1)[None], k, v, is_causal=True)[0]
            x = x + layer.self_attn.o_proj(o.transpose(0, 1).flatten(-2))
            x = x + layer.feed_forward(layer.post_attention_layernorm(x))[0]

    @staticmethod
    def angles(first, end):
        hd = M.TEXT["head_dim"]
        a = torch.arange(first, end).float()[:, None] * M.TEXT["rope_theta"] ** (-torch.arange(0, hd, 2).float() / hd)
        return a.cos(), a.sin()

    def __call__(self, x):
        """x [B, L, D] embeddings behind the prefix -> logits [B, L, V]."""
        length, angles = x.shape[1], self.angles(self.n, self.n + x.shape[1])
        mask = torch.ones(length, self.n + length, dtype=torch.bool).tril(self.n)
        group = M.TEXT["num_attention_heads"] // M.TEXT["num_key_value_heads"]
        for layer, (kp, vp) in zip(self.model.layers, self.keys):
            q, k, v = layer.self_attn.qkv(layer.input_layernorm(x), angles)
            k, v = (t.transpose(1, 2).repeat_interleave(group, 1) for t in (k, v))
            k, v = (torch.cat((p.expand(len(x), -1, -1, -1), t), -2) for p, t in ((kp, k), (vp, v)))
            o = F.scaled_dot_product_attention(q.transpose(1, 2), k, v, attn_mask=mask)
            x = x + layer.self_attn.o_proj(o.transpose(1, 2).flatten(-2))
            y = layer.feed_forward(layer.post_attention_layernorm(x.flatten(0, 1)))[0]
            x = x + y.view_as(x)
        return self.head(self.model.norm(x))
