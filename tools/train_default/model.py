"""The Llama 4 architecture for training, with the parameter names of transformers' checkpoints.

Same mathematics as transformers' Llama4ForConditionalGeneration (check_export.py compares them),
written for speed on a CPU: real rotations, experts by index_select, and a prompt prefix that all
sequences of a batch share and that is computed once.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

# No QK norm: without weights it bounds a score by sqrt(head_dim), 5.7 here, too flat to pick one of a thousand keys.
TEXT = dict(hidden_size=192, num_hidden_layers=4, num_attention_heads=6, num_key_value_heads=2, head_dim=32,
            intermediate_size=192, intermediate_size_mlp=192, num_local_experts=4, num_experts_per_tok=1,
            interleave_moe_layer_step=1, use_qk_norm=False, rms_norm_eps=1e-5, rope_theta=10000.0,
            no_rope_layer_interval=4, attention_chunk_size=8192, attn_temperature_tuning=True,
            floor_scale=8192, attn_scale=0.1, max_position_embeddings=8192, attention_bias=False,
            tie_word_embeddings=False, hidden_act="silu")
VISION = dict(hidden_size=160, num_hidden_layers=4, num_attention_heads=5, intermediate_size=640, image_size=112,
              patch_size=14, num_channels=3, norm_eps=1e-5, rope_theta=10000.0, pixel_shuffle_ratio=0.5,
              projector_input_dim=192, projector_output_dim=192, vision_output_dim=192, hidden_act="gelu",
              multi_modal_projector_bias=False, vision_feature_layer=-1, vision_feature_select_strategy="default")
TILE_TOKENS = (VISION["image_size"] // VISION["patch_size"]) ** 2 // 4


def rms(x, eps=1e-5):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps)


class RMSNorm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        return rms(x) * self.weight


def rotate(x, cos, sin):
    """Adjacent pairs (2i, 2i+1) of x [..., T, heads, dim] by the angles [T, dim / 2]."""
    even, odd = x[..., 0::2], x[..., 1::2]
    c, s = cos.unsqueeze(-2), sin.unsqueeze(-2)
    return torch.stack((even * c - odd * s, even * s + odd * c), -1).flatten(-2)


class SelfAttn(nn.Module):
    def __init__(self, rope):
        super().__init__()
        d, h, kv, hd = (TEXT[k] for k in ("hidden_size", "num_attention_heads", "num_key_value_heads", "head_dim"))
        self.q_proj = nn.Linear(d, h * hd, bias=False)
        self.k_proj = nn.Linear(d, kv * hd, bias=False)
        self.v_proj = nn.Linear(d, kv * hd, bias=False)
        self.o_proj = nn.Linear(h * hd, d, bias=False)
        self.rope = rope

    def qkv(self, x, angles):
        hd = TEXT["head_dim"]
        q, k, v = (p(x).unflatten(-1, (-1, hd)) for p in (self.q_proj, self.k_proj, self.v_proj))
        if self.rope:
            q, k = rotate(q, *angles), rotate(k, *angles)
        return q, k, v


class Experts(nn.Module):
    def __init__(self):
        super().__init__()
        e, d, f = TEXT["num_local_experts"], TEXT["hidden_size"], TEXT["intermediate_size"]
        self.gate_up_proj = nn.Parameter(torch.randn(e, d, 2 * f) * 0.02)
        self.down_proj = nn.Parameter(torch.randn(e, f, d) * 0.02)


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        d, f = TEXT["hidden_size"], TEXT["intermediate_size"]
        self.gate_proj = nn.Linear(d, f, bias=False)
        self.up_proj = nn.Linear(d, f, bias=False)
        self.down_proj = nn.Linear(f, d, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class MoE(nn.Module):
    def __init__(self):
        super().__init__()
        self.router = nn.Linear(TEXT["hidden_size"], TEXT["num_local_experts"], bias=False)
        self.experts = Experts()
        self.shared_expert = MLP()

    def forward(self, x):
        """x [N, D] -> y [N, D] and the load-balance loss (1 when even)."""
        logits = self.router(x)
        score, choice = logits.max(-1)
        z = x * torch.sigmoid(score).unsqueeze(-1)
        y = self.shared_expert(x)
        share = []
        for e in range(TEXT["num_local_experts"]):
            rows = (choice == e).nonzero().squeeze(-1)
            share.append(rows.numel() / x.shape[0])
            if rows.numel():
                gate, up = (z.index_select(0, rows) @ self.experts.gate_up_proj[e]).chunk(2, -1)
                y = y.index_add(0, rows, (F.silu(gate) * up) @ self.experts.down_proj[e])
        balance = (torch.softmax(logits, -1).mean(0) * torch.tensor(share)).sum() * len(share)
        return y, balance


class Layer(nn.Module):
    def __init__(self, index):
        super().__init__()
        self.input_layernorm = RMSNorm(TEXT["hidden_size"])
        self.self_attn = SelfAttn(rope=(index + 1) % TEXT["no_rope_layer_interval"] != 0)
        self.post_attention_layernorm = RMSNorm(TEXT["hidden_size"])
        self.feed_forward = MoE()

    def forward(self, prefix, x, angles, mask):
        """prefix [P, D] is shared by all rows of x [B, L, D]; rows see it and their own past."""
        n = prefix.shape[0]
        cos, sin = angles
        qp, kp, vp = self.self_attn.qkv(self.input_layernorm(prefix), (cos[:n], sin[:n]))
        qx, kx, vx = self.self_attn.qkv(self.input_layernorm(x), (cos[n:], sin[n:]))
        b, group = x.shape[0], TEXT["num_attention_heads"] // TEXT["num_key_value_heads"]

        def heads(t):
            return t.transpose(-2, -3).repeat_interleave(group, -3)
        op = F.scaled_dot_product_attention(qp.transpose(0, 1)[None], heads(kp)[None], heads(vp)[None],
                                            is_causal=True)[0]
        keys = torch.cat((heads(kp).expand(b, -1, -1, -1), heads(kx)), -2)
        values = torch.cat((heads(vp).expand(b, -1, -1, -1), heads(vx)), -2)
        ox = F.scaled_dot_product_attention(qx.transpose(1, 2), keys, values, attn_mask=mask)
        prefix = prefix + self.self_attn.o_proj(op.transpose(0, 1).flatten(-2))
        x = x + self.self_attn.o_proj(ox.transpose(1, 2).flatten(-2))
        both = torch.cat((prefix, x.flatten(0, 1)))
        y, balance = self.feed_forward(self.post_attention_layernorm(both))
        both = both + y
        return both[:n], both[n:].view_as(x), balance


class TextModel(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embed_tokens = nn.Embedding(vocab_size, TEXT["hidden_size"])
        self.layers = nn.ModuleList(Layer(i) for i in range(TEXT["num_hidden_layers"]))
        self.norm = RMSNorm(TEXT["hidden_size"])


class LanguageModel(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.model = TextModel(vocab_size)
        self.lm_head = nn.Linear(TEXT["hidden_size"], vocab_size, bias=False)

    def forward(self, prefix_ids, x):
        """prefix_ids [P], x [B, L, D] embeddings -> logits [B, L, V], load-balance loss."""
        n, length = prefix_ids.shape[0], x.shape[1]
        hd = TEXT["head_dim"]
        inv = TEXT["rope_theta"] ** (-torch.arange(0, hd, 2).float() / hd)
        a = torch.arange(n + length).float()[:, None] * inv
        mask = torch.ones(length, n + length, dtype=torch.bool).tril(n)
        prefix, balance = self.model.embed_tokens(prefix_ids), 0.0
        for layer in self.model.layers:
            prefix, x, b = layer(prefix, x, (a.cos(), a.sin()), mask)
            balance = balance + b / len(self.model.layers)
        return self.lm_head(self.model.norm(x)), balance


class VisionLayer(nn.Module):
    def __init__(self):
        super().__init__()
        d, f = VISION["hidden_size"], VISION["intermediate_size"]
        self.input_layernorm = nn.LayerNorm(d)
        self.self_attn = nn.ModuleDict({p: nn.Linear(d, d) for p in ("q_proj", "k_proj", "v_proj", "o_proj")})
        self.post_attention_layernorm = nn.LayerNorm(d)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(d, f), "fc2": nn.Linear(f, d)})

    def forward(self, x, angles):
        a, h = self.self_attn, self.input_layernorm(x)
        q, k, v = (a[p](h).unflatten(-1, (VISION["num_attention_heads"], -1)) for p in ("q_proj", "k_proj", "v_proj"))
        q, k = rotate(q, *angles), rotate(k, *angles)
        o = F.scaled_dot_product_attention(*(t.transpose(1, 2) for t in (q, k, v))).transpose(1, 2).flatten(-2)
        x = x + a["o_proj"](o)
        return x + self.mlp["fc2"](F.gelu(self.mlp["fc1"](self.post_attention_layernorm(x))))


class VisionModel(nn.Module):
    def __init__(self):
        super().__init__()
        d, side = VISION["hidden_size"], VISION["image_size"] // VISION["patch_size"]
        self.class_embedding = nn.Parameter(torch.randn(d) * d ** -0.5)
        self.positional_embedding_vlm = nn.Parameter(torch.randn(side * side + 1, d) * d ** -0.5)
        self.patch_embedding = nn.ModuleDict({"linear": nn.Linear(3 * VISION["patch_size"] ** 2, d, bias=False)})
        self.layernorm_pre = nn.LayerNorm(d)
        self.model = nn.ModuleDict({"layers": nn.ModuleList(VisionLayer() for _ in range(VISION["num_hidden_layers"]))})
        self.layernorm_post = nn.LayerNorm(d)
        self.vision_adapter = nn.ModuleDict({"mlp": nn.ModuleDict({
            "fc1": nn.Linear(4 * d, VISION["projector_input_dim"], bias=False),
            "fc2": nn.Linear(VISION["projector_input_dim"], VISION["projector_output_dim"], bias=False)})})

    def angles(self):
        side, hd = VISION["image_size"] // VISION["patch_size"], VISION["hidden_size"] // VISION["num_attention_heads"]
        inv = VISION["rope_theta"] ** (-torch.arange(0, hd // 2, 2).float() / (hd // 2))
        at = torch.arange(side * side)
        a = torch.cat((((at % side) + 1)[:, None] * inv, ((at // side) + 1)[:, None] * inv), -1)
        a = torch.cat((a, torch.zeros(1, a.shape[1])))
        return a.cos(), a.sin()

    def forward(self, tiles):
        """tiles [B, 3, side, side] normalised -> [B, TILE_TOKENS, projector_output_dim]."""
        patch = VISION["patch_size"]
        x = self.patch_embedding["linear"](F.unfold(tiles, patch, stride=patch).transpose(1, 2))
        x = torch.cat((x, self.class_embedding.expand(x.shape[0], 1, -1)), 1) + self.positional_embedding_vlm
        x = self.layernorm_pre(x)
        angles = self.angles()
        for layer in self.model["layers"]:
            x = layer(x, angles)
        x = self.layernorm_post(x)[:, :-1]
        side = math.isqrt(x.shape[1])
        x = x.view(-1, side // 2, 2, side // 2, 2, x.shape[-1]).permute(0, 1, 3, 2, 4, 5).flatten(3).flatten(1, 2)
        mlp = self.vision_adapter["mlp"]
        return F.gelu(mlp["fc2"](F.gelu(mlp["fc1"](x))))


class Weft(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.language_model = LanguageModel(vocab_size)
        self.vision_model = VisionModel()
        self.multi_modal_projector = nn.ModuleDict({
            "linear_1": nn.Linear(VISION["vision_output_dim"], TEXT["hidden_size"], bias=False)})
        for m in self.modules():
            if isinstance(m, (nn.Linear, nn.Embedding)):
                nn.init.normal_(m.weight, std=0.02 if isinstance(m, nn.Embedding) else m.weight.shape[1] ** -0.5)
                if getattr(m, "bias", None) is not None:
                    nn.init.zeros_(m.bias)

    def see(self, tiles):
        return self.multi_modal_projector["linear_1"](self.vision_model(tiles))
