"""Every string of the page, in English and in 简体中文.

Python says a text with `say`, in the language that a request names. Text that stands still is put into HTML with `mark`
or `attribute` instead: it is English until `language.js` says it in the visitor's language, there and then.
`gr.I18n` reaches the labels of gradio's own components only, and has no switch on the page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from cnn_models.errors import TranslatableError

LANGUAGES = {"en": "English", "zh": "简体中文"}

TEXTS: dict[str, tuple[str, str]] = {
    # The page.
    "page.motto": ("Draw once, and every classic CNN answers side by side.", "画一笔，经典卷积网络并排作答。"),
    "page.language": ("Language", "语言"),
    "tab.compare": ("Compare", "对比"),
    "tab.layers": ("Layers", "逐层"),
    "tab.training": ("Training", "训练"),
    # Names that gradio gives to parts of its controls.
    "control.number": ("number input for {label}", "{label}：数值"),
    "control.range": ("range slider for {label}", "{label}：滑块"),
    "control.reset": ("Reset to default value", "恢复默认值"),
    "dataset.digits": ("Digits", "数字"),
    "dataset.clothing": ("Clothing", "服饰"),
    "dataset.choose": ("Data set", "数据集"),
    # The server.
    "server.large": (
        "That is larger than {most} MB, the most that is taken; make it smaller.",
        "内容超过 {most} MB 的上限，请缩小后再试。",
    ),
    "server.slow": (
        "The request did not arrive in time; check the connection and try again.",
        "请求未能及时到达，请检查网络后重试。",
    ),
    "server.closed": (
        "There is nothing at this address; see /gradio_api/info.",
        "此地址没有内容，请查看 /gradio_api/info。",
    ),
    "server.connections": (
        "There are too many open requests from your address; close some and try again.",
        "来自您地址的未完成请求过多，请关闭一些后重试。",
    ),
    "server.busy": (
        "You have asked for more than can be answered at once; wait a moment and try again.",
        "您同时提出的请求过多，请稍后再试。",
    ),
    "server.host": (
        "This server is not known as {host}; start it with --public-host {host} if it should be.",
        "此服务器不以 {host} 为名；如需使用，请以 --public-host {host} 启动。",
    ),
    "server.origin": ("Pages of other sites may not use these tools.", "其他网站的页面不能使用这些工具。"),
    "server.unknown": (
        "The page asks for something that this server does not have; reload the page.",
        "页面请求了服务器没有的内容，请刷新页面。",
    ),
    "server.unreadable": (
        "The request cannot be read; reload the page, or see /gradio_api/info for what is expected.",
        "无法读取请求，请刷新页面，或查看 /gradio_api/info 了解格式。",
    ),
    "server.upload.none": ("There is no file in this request; choose one.", "请求中没有文件，请选择一个。"),
    "server.upload.many": (
        "Uploads come as multipart/form-data, with at most {most} files at once; send them one after another.",
        "上传须为 multipart/form-data，一次最多 {most} 个文件，请逐个发送。",
    ),
    "server.upload.full": (
        "The server has no room for uploads now; draw, or try again later.",
        "服务器暂时没有空间存放上传文件，请直接绘制或稍后再试。",
    ),
    # Classes that have names.
    "class.T-shirt/top": ("T-shirt/top", "T恤"),
    "class.Trouser": ("Trouser", "裤子"),
    "class.Pullover": ("Pullover", "套头衫"),
    "class.Dress": ("Dress", "连衣裙"),
    "class.Coat": ("Coat", "外套"),
    "class.Sandal": ("Sandal", "凉鞋"),
    "class.Shirt": ("Shirt", "衬衫"),
    "class.Sneaker": ("Sneaker", "运动鞋"),
    "class.Bag": ("Bag", "包"),
    "class.Ankle boot": ("Ankle boot", "短靴"),
    # The networks, and what is wrong with pictures: said in English by cnn_models.
    "summary.lenet5": (
        "Convolution, pooling, convolution, pooling, dense: the pattern every later network follows.",
        "卷积、池化、卷积、池化、全连接：后来的网络都沿用这一模式。",
    ),
    "summary.alexnet": (
        "LeNet made deeper and much wider, with ReLU, max-pooling and dropout.",
        "更深、宽得多的 LeNet，并采用 ReLU、最大池化和随机失活。",
    ),
    "summary.googlenet": (
        "Several kernel sizes side by side, 1×1 convolutions to pay for them, an average in place of dense layers.",
        "多种大小的卷积核并排，用 1×1 卷积省下其开销，并以平均代替全连接层。",
    ),
    "summary.mini_inception": (
        "Two linear Inception blocks: what running kernels side by side gains at 28×28.",
        "两个线性 Inception 块：看看卷积核并排在 28×28 上有何收益。",
    ),
    "summary.mini_resnet": (
        "Two residual blocks: the layers learn what to add to their input, which the shortcut carries on.",
        "两个残差块：各层学习要给输入加上什么，输入则由捷径直接带过。",
    ),
    "picture.blank": (
        "The picture is blank; draw or choose one in which something stands out.",
        "图片是空白的；请画一幅或选一张有明显内容的图片。",
    ),
    "picture.pixels": (
        "The picture has too many pixels; make it smaller.",
        "图片像素过多；请缩小后再试。",
    ),
    "picture.kind": (
        "This is not a picture of a kind known here; save it as one of {known}.",
        "无法识别这种图片格式；请另存为 {known} 之一。",
    ),
    "picture.damaged": (
        "The picture is damaged or cut short; save or upload it again.",
        "图片已损坏或不完整；请重新保存或上传。",
    ),
    "picture.nofile": ("There is no file {name}; choose another picture.", "没有文件 {name}；请另选一张图片。"),
    "picture.unread": (
        "The file {name} cannot be read; choose another picture.",
        "无法读取文件 {name}；请另选一张图片。",
    ),
    "picture.none": ("There is no picture here; draw one or choose a file.", "这里没有图片；请画一幅或选一个文件。"),
    "picture.bytes": ("The file is larger than {most} MB; make it smaller.", "文件超过 {most} MB；请缩小后再试。"),
    "picture.empty": ("The picture has no pixels; choose another.", "图片没有任何像素；请另选一张。"),
    "picture.size": (
        "The picture is {width} × {height} pixels, but at most {millions} million and {side} on a side can be taken; "
        "make it smaller.",
        "图片为 {width} × {height} 像素，而总数不得超过 {millions} 百万、每边不得超过 {side}；请缩小后再试。",
    ),
    "picture.scans": ("The image has more than {most} scans; save it again.", "图像的扫描超过 {most} 遍；请重新保存。"),
    "picture.segments": (
        "The image has more than {most} segments; save it again.",
        "图像的数据段超过 {most} 个；请重新保存。",
    ),
    "picture.chunks": (
        "The image has more than {most} chunks; save it again.",
        "图像的数据块超过 {most} 个；请重新保存。",
    ),
    "picture.blocks": (
        "The image has more than {most} blocks before its first frame; save it again.",
        "图像第一帧之前的数据块超过 {most} 个；请重新保存。",
    ),
    "picture.strips": (
        "The image has more than {most} strips or tiles; save it again.",
        "图像的条带或图块超过 {most} 个；请重新保存。",
    ),
    "picture.entries": (
        "The image has more than {most} entries in its directory; save it again.",
        "图像目录的条目超过 {most} 个；请重新保存。",
    ),
    "picture.slow": (
        "The image takes too much time or memory to decode; save it again as PNG or JPEG.",
        "解码这幅图像耗时或占用内存过多；请重新保存为 PNG 或 JPEG。",
    ),
    "picture.busy": (
        "Many images are being decoded right now; try again in a moment.",
        "目前有许多图像正在解码；请稍后再试。",
    ),
    "picture.values": (
        "The picture has values that are not between 0 and {white}; scale them to that.",
        "图片中有不在 0 到 {white} 之间的数值；请先换算到该范围。",
    ),
    "picture.unsent": (
        "That is not a picture this page sent; clear the sketchpad and try again.",
        "这不是本页发送的图片；请清空画板后重试。",
    ),
    "picture.unknown": ("That is not a picture uploaded here; upload it first.", "这不是在此上传的图片；请先上传。"),
    "picture.unlabelled": ("That is not a labelled picture of this page.", "这不是本页上标注的图片。"),
    "picture.many": (
        "There are more than {most} pictures; split them into several zips.",
        "图片超过 {most} 张；请分成几个 zip。",
    ),
    "picture.class": (
        "{label} is not a class of {dataset}; take labels from the page.",
        "{label} 不是 {dataset} 的类别；请使用本页的类别。",
    ),
    # What is wrong with checkpoints, and why they do not come: said in English by cnn_models, without a full stop.
    "checkpoint.none": (
        "no weights for {id}; run `python -m training.train {id}`, or set CNN_HUB_NAMESPACE to who has them on the Hub",
        "没有 {id} 的权重；请运行 `python -m training.train {id}`，或将 CNN_HUB_NAMESPACE 设为 Hub 上提供该权重的用户",
    ),
    "checkpoint.gone.train": (
        "no weights for {id}: {why}; or run `python -m training.train {name}`",
        "没有 {id} 的权重：{why}；也可运行 `python -m training.train {name}`",
    ),
    "checkpoint.coming": (
        "{id} is still on its way; ask again in a moment",
        "{id} 仍在下载；请稍后再试",
    ),
    "checkpoint.coming.far": (
        "{id} is still on its way ({done} of {all} MB); ask again in a moment",
        "{id} 仍在下载（{done} / {all} MB）；请稍后再试",
    ),
    "checkpoint.lookups": (
        "{id} is not looked up: {count} names were for you, this hour; ask again in {minutes} minutes",
        "暂不查找 {id}：一小时内已为你查找过 {count} 个名称；请在 {minutes} 分钟后再试",
    ),
    "checkpoint.downloads": (
        "{id} is not fetched: {count} checkpoints of others were, this hour; ask again in {minutes} minutes",
        "暂不下载 {id}：一小时内已下载过 {count} 个他人的检查点；请在 {minutes} 分钟后再试",
    ),
    "checkpoint.room": (
        "{id} needs {size} MB, and there is no room for it in the {most} MB of --max-memory beside what is in use; "
        "ask again, or raise it",
        "{id} 需要 {size} MB，而 --max-memory 的 {most} MB 中除去正在使用的已放不下；请稍后再试，或调高该值",
    ),
    "checkpoint.name": (
        "{folder} holds {found}, not {id}; put it under its own name",
        "{folder} 中是 {found} 而不是 {id}；请放到它自己的名称下",
    ),
    "checkpoint.numbers": (
        "{id} computes numbers that are not finite; leave it out or train it again",
        "{id} 的计算结果不是有限数；请不要使用它，或重新训练",
    ),
    "checkpoint.card": ("{path} is not the card of a checkpoint: {why}", "{path} 不是检查点的卡片：{why}"),
    "checkpoint.history": ("{path} is not the history of a training: {why}", "{path} 不是训练历史：{why}"),
    "checkpoint.weights": ("{path} is not the weights of {id}: {why}", "{path} 不是 {id} 的权重：{why}"),
    "checkpoint.snapshots": ("{path} is not the snapshots of {id}: {why}", "{path} 不是 {id} 的快照：{why}"),
    "checkpoint.type": (
        "{path}: {name} is {found}, the card says {type}",
        "{path}：{name} 的类型是 {found}，而卡片上写的是 {type}",
    ),
    "checkpoint.finite": (
        "{path}: {name} is not finite; train again with a lower rate",
        "{path}：{name} 中有非有限数；请降低学习率重新训练",
    ),
    "checkpoint.hash": (
        "{path} was changed or damaged after it was written: its hash is not the one recorded",
        "{path} 写成之后被改动或损坏：其散列值与记录不符",
    ),
    "checkpoint.bytes": ("larger than {limit} bytes", "超过 {limit} 字节"),
    "checkpoint.object": ("a card is a JSON object", "卡片应是一个 JSON 对象"),
    "checkpoint.fields": ("missing or unknown fields: {names}", "字段缺失或未知：{names}"),
    # What is wrong with a value from outside: said in English by ui.ask.
    "refused.name": ("unknown name {name}; known are {known}", "未知的名称 {name}；已知的有 {known}"),
    "refused.list": ("{value} is not a list of at most {most} values", "{value} 不是至多 {most} 个值的列表"),
    "refused.fields": ("{value} is not an object with named fields", "{value} 不是带有字段名的对象"),
    "refused.text": ("{value} is not a text of at most {most} characters", "{value} 不是至多 {most} 个字符的文本"),
    "refused.flag": ("{value} is neither true nor false", "{value} 既不是 true 也不是 false"),
    "refused.number": ("{value} is not a number from {low} to {high}", "{value} 不是 {low} 到 {high} 之间的数"),
    "checkpoint.architecture": (
        "unknown architecture {name}; known are {known}",
        "未知的网络结构 {name}；已知的有 {known}",
    ),
    "checkpoint.dataset": ("unknown data set {name}; known are {known}", "未知的数据集 {name}；已知的有 {known}"),
    "checkpoint.classes": ("its classes are not those of {dataset}", "其类别与 {dataset} 的不符"),
    "checkpoint.size": ("{name} cannot take pictures of size {size}", "{name} 不能接受边长为 {size} 的图片"),
    "checkpoint.scale": (
        "mean {mean} and std {std} cannot normalise a picture",
        "均值 {mean} 与标准差 {std} 无法用来归一化图片",
    ),
    "checkpoint.temperature": (
        "temperature {value} is not between 1/{most} and {most}",
        "温度 {value} 不在 1/{most} 与 {most} 之间",
    ),
    "checkpoint.energy": ("energy threshold {value} is no energy of logits", "能量阈值 {value} 不可能是 logits 的能量"),
    "checkpoint.share": ("{name} is {value}, and not a share in percent", "{name} 是 {value}，不是百分比"),
    "checkpoint.levels": ("nested in more than {most} levels", "嵌套超过 {most} 层"),
    "checkpoint.surrogate": (
        "it holds half a surrogate pair, which is no Unicode text",
        "其中有不成对的代理码点，不是 Unicode 文本",
    ),
    "checkpoint.range": (
        "it holds a number that is not finite, or has more than 64 bits",
        "其中有非有限数，或超过 64 位的数",
    ),
    "checkpoint.infinite": ("it holds a number that is not finite", "其中有非有限数"),
    "checkpoint.text": (
        "{name} must be a text of at most {most} characters",
        "{name} 应是不超过 {most} 个字符的文本",
    ),
    "checkpoint.number": ("{name} must be a number", "{name} 应是数"),
    "checkpoint.whole": ("{name} must be a whole number", "{name} 应是整数"),
    "checkpoint.hex": ("{name} must be 64 hexadecimal digits", "{name} 应是 64 位十六进制数字"),
    "checkpoint.list": ("{name} must be a list", "{name} 应是列表"),
    "checkpoint.json": ("{name} must be a JSON object", "{name} 应是 JSON 对象"),
    "checkpoint.stored": ("weights of type {type}", "权重的类型是 {type}"),
    "checkpoint.large": ("the file is larger than this network can be", "文件比该网络可能的大小还大"),
    "checkpoint.header": ("the card in its header is not that of {file}", "文件头中的卡片与 {file} 不符"),
    "checkpoint.tensors": ("missing or unknown tensors: {names}", "张量缺失或未知：{names}"),
    "checkpoint.shape": (
        "{name} has shape {found} instead of {shape}",
        "{name} 的形状是 {found}，应为 {shape}",
    ),
    "checkpoint.hub.more": (
        "the Hub sent more of {repository} than the {limit} bytes it may; ask again later, or check HF_ENDPOINT",
        "Hub 发送的 {repository} 超过了允许的 {limit} 字节；请稍后再试，或检查 HF_ENDPOINT",
    ),
    "checkpoint.hub.slow": (
        "the Hub sends {repository} too slowly; ask again later, or check HF_ENDPOINT",
        "Hub 发送 {repository} 过慢；请稍后再试，或检查 HF_ENDPOINT",
    ),
    "checkpoint.hub.packed": (
        "the Hub sends {repository} packed, though asked not to; check HF_ENDPOINT",
        "Hub 不顾请求，压缩发送了 {repository}；请检查 HF_ENDPOINT",
    ),
    "checkpoint.hub.path": (
        "the Hub says of {repository} that its {header} is {value}, which could be a path; check HF_ENDPOINT",
        "Hub 称 {repository} 的 {header} 是 {value}，这可能是一个路径；请检查 HF_ENDPOINT",
    ),
    "checkpoint.hub.files": (
        "{repository} has no {files}; it must be published whole",
        "{repository} 中没有 {files}；必须完整发布",
    ),
    "checkpoint.hub.large": (
        "{repository} has a {file} that is larger than this network's can be",
        "{repository} 的 {file} 比该网络可能的大小还大",
    ),
    "checkpoint.hub.part": (
        "{repository} did not come whole; ask again in a minute",
        "{repository} 没有下载完整；请一分钟后再试",
    ),
    "checkpoint.hub.closed": (
        "{repository} is gated, and only what everyone may see is fetched; ask its owner to open it",
        "{repository} 需经许可才能访问，而这里只下载公开的内容；请联系其所有者公开它",
    ),
    "checkpoint.hub.gated": (
        "{repository} is gated; ask for access on its page, then set HF_TOKEN",
        "{repository} 需经许可才能访问；请在其页面申请，然后设置 HF_TOKEN",
    ),
    "checkpoint.hub.none": (
        "the Hub has no {repository}, or it is private; check the name",
        "Hub 上没有 {repository}，或它不公开；请检查名称",
    ),
    "checkpoint.hub.private": (
        "the Hub has no {repository}, or it is private; check the name, or set HF_TOKEN",
        "Hub 上没有 {repository}，或它不公开；请检查名称，或设置 HF_TOKEN",
    ),
    "checkpoint.hub.revision": (
        "{repository} has no revision {revision}; leave it out for the newest",
        "{repository} 没有修订版本 {revision}；省略即为最新版本",
    ),
    "checkpoint.hub.offline": (
        "{repository} is not in the Hub's cache and HF_HUB_OFFLINE is set; unset it",
        "{repository} 不在 Hub 的缓存中，而 HF_HUB_OFFLINE 已设置；请取消该设置",
    ),
    "checkpoint.hub.token": (
        "the Hub refused the token of this machine when asked for {repository}; run `hf auth login`",
        "请求 {repository} 时，Hub 拒绝了本机的令牌；请运行 `hf auth login`",
    ),
    "checkpoint.hub.often": (
        "the Hub was asked too often to give {repository}; try again in some minutes",
        "向 Hub 请求过于频繁，未能取得 {repository}；请几分钟后再试",
    ),
    "checkpoint.hub.order": (
        "the Hub is out of order ({status}) and could not give {repository}; try again later",
        "Hub 出现故障（{status}），未能取得 {repository}；请稍后再试",
    ),
    "checkpoint.hub.refused": (
        "the Hub refused to give {repository} ({status}); try again later, or look at its page there",
        "Hub 拒绝提供 {repository}（{status}）；请稍后再试，或查看它在 Hub 上的页面",
    ),
    "checkpoint.hub.full": (
        "the disk is too full for {repository}; make room in {folder}",
        "磁盘空间不足，放不下 {repository}；请在 {folder} 中腾出空间",
    ),
    "checkpoint.hub.write": (
        "{repository} could not be stored in {folder}; set HF_HOME to a folder you may write",
        "{repository} 无法存入 {folder}；请将 HF_HOME 设为可写的文件夹",
    ),
    "checkpoint.hub.network": (
        "{repository} could not be fetched ({why}); connect to the network and try again",
        "无法下载 {repository}（{why}）；请连接网络后再试",
    ),
    # The sketchpad.
    "pad.name": (
        "Sketchpad: draw with mouse, pen or finger, or with the arrow keys; "
        "Space lowers and lifts the pen, Escape clears",
        "画板：用鼠标、笔或手指作画，也可用方向键；空格键落笔或提笔，Esc 键清空",
    ),
    "pad.hint": ("Draw here", "在此绘制"),
    "pad.undo": ("Undo", "撤销"),
    "pad.redo": ("Redo", "重做"),
    "pad.clear": ("Clear", "清空"),
    "pad.brush": ("Brush", "笔刷"),
    "pad.brush.size": ("Brush size", "笔刷粗细"),
    "pad.upload": ("Upload a picture", "上传图片"),
    "pad.elsewise": ("or paste, or drop one", "也可粘贴或拖入"),
    "pad.file": ("A picture to upload", "要上传的图片"),
    "pad.sending": ("Sending the picture …", "正在发送图片……"),
    "pad.unsent": (
        "The picture could not be sent: it has more than {most} MB, or the server does not answer",
        "图片未能发送：可能超过 {most} MB，或服务器没有响应",
    ),
    "pad.unseen": ("This browser cannot show the picture", "此浏览器无法显示该图片"),
    "pad.down": ("Pen down", "已落笔"),
    "pad.up": ("Pen up", "已提笔"),
    "samples.name": ("Test pictures", "测试图片"),
    # The sentence.
    "verdict.empty.digits": (
        "The canvas is empty: draw a digit, or take a picture.",
        "画板是空的：画一个数字，或选一张图片。",
    ),
    "verdict.empty.clothing": (
        "The canvas is empty: draw a piece of clothing, or take a picture.",
        "画板是空的：画一件衣物，或选一张图片。",
    ),
    "verdict.nobody": (
        "No network can answer: choose one that is trained.",
        "没有网络可以回答：请选择一个已训练的网络。",
    ),
    "verdict.refused": ("{why}", "这张图片无法使用：{why}"),
    "verdict.offline": (
        "The server does not answer; the last answers stand until it does.",
        "服务器没有响应，暂时保留上一次的回答。",
    ),
    "verdict.read.one": ("{names} reads {label}", "{names}认为是 {label}"),
    "verdict.read.many": ("{names} read {label}", "{names}认为是 {label}"),
    "verdict.see.one": ("{names} sees {label}", "{names}认为是{label}"),
    "verdict.see.many": ("{names} see {label}", "{names}认为是{label}"),
    "verdict.both": ("Both networks", "两个网络都"),
    "verdict.all": ("All {count} networks", "{count} 个网络一致"),
    "verdict.some": ("{votes} of {count} networks", "{count} 个网络中有 {votes} 个"),
    "verdict.split": ("The networks are split: {clauses}", "各网络意见不一：{clauses}"),
    "verdict.divided": ("The networks are split", "各网络意见不一"),
    "verdict.share": ("{label} has {share} % of the soft vote", "软投票中 {label} 占 {share} %"),
    "verdict.none": ("Not one of the ten things, it seems: {why}. ", "看来不是十类中的任何一类：{why}。"),
    "verdict.strange": (
        "to {strange} of {count} networks it is unlike anything seen in training",
        "{count} 个网络中有 {strange} 个从未在训练中见过这样的图片",
    ),
    "verdict.dot": ("it is a dot, not a stroke", "它只是一个点，没有笔画"),
    "verdict.like.clothing": (
        "it may be a piece of clothing, for which there is Clothing above",
        "它可能是一件衣物，请在上方改选“服饰”",
    ),
    "verdict.like.digits": (
        "it looks more like a digit, for which there is Digits above",
        "它更像数字，请在上方改选“数字”",
    ),
    "verdict.unsure": (
        "no class has half of the probability; the likeliest, {label}, has {share} %",
        "没有一类的概率过半，最可能的{label}只有 {share} %",
    ),
    "list.and": ("{first} and {last}", "{first} 和 {last}"),
    "list.comma": (", ", "、"),
    "list.semicolon": ("; ", "；"),
    "list.colon": (": ", "："),
    "list.stop": (".", "。"),
    # The board.
    "board.name": ("What each network answers, class by class, in percent", "各网络对每一类给出的概率（百分比）"),
    "board.percent": ("in %", "单位 %"),
    "board.together": ("Together", "合议"),
    "board.vote": ("soft vote", "软投票"),
    "board.votes.of": ("{votes} of {count}", "{count} 票中 {votes} 票"),
    "board.margin": ("Margin", "领先"),
    "board.margin.why": (
        "How far the winner's logit is above that of the runner-up",
        "第一名的 logit 比第二名高多少",
    ),
    "board.entropy": ("Entropy", "熵"),
    "board.entropy.why": (
        "In bits: 0 is certain, {most} is no idea",
        "单位比特：0 表示确定，{most} 表示毫无头绪",
    ),
    "board.bits": ("{bits} bit", "{bits} 比特"),
    "board.time": ("Time", "用时"),
    "board.time.why": ("Of the forward pass alone", "仅指一次前向计算"),
    "board.weights": ("Weights", "权重"),
    "board.coming": ("on its way", "正在下载"),
    "board.fetched": ("Its weights are being fetched from the Hub", "正在从 Hub 获取权重"),
    "board.untrained": ("not trained yet", "尚未训练"),
    "board.trains": ("`{command}` trains it", "用 `{command}` 训练它"),
    "board.winner": ("likeliest", "最可能"),
    "board.explain": ("Show what speaks for {label}", "查看支持“{label}”的依据"),
    "board.models": ("Networks", "网络"),
    "board.calibrated": ("Calibrated", "校准"),
    "board.calibrated.why": (
        "Each network's logits are divided by its own temperature, which fits training pictures held out best; how "
        "far 90 % then is from 90 of 100 test pictures is on Training, calibration error. Off, the probabilities "
        "are raw",
        "每个网络的 logit 除以各自的温度，该温度在留出的训练图片上拟合得最好；在测试图片上 90 % 离百中九十还有多远，"
        "见“训练”页的校准误差。关闭则显示原始概率",
    ),
    "board.sort": ("Order", "排序"),
    "board.sort.year": ("by year", "按年份"),
    "board.sort.size": ("by size", "按大小"),
    "board.sort.confidence": ("by confidence", "按把握"),
    "board.measured": ("{accuracy} % of {count} here", "此处测得 {accuracy} %（{count} 张）"),
    "board.measured.why": (
        "Measured by this app: {right} of {count} test pictures right, whatever its own card says",
        "由本应用测得：{count} 张测试图片中答对 {right} 张，不采信其自带卡片上的数字",
    ),
    # A checkpoint that a visitor brings.
    "bring.title": ("Bring your weights", "带上你的权重"),
    "bring.why": (
        "A checkpoint of the known networks on the Hugging Face Hub joins the board while this page is open: at most "
        "{count}, each measured here on test pictures before it answers",
        "Hugging Face Hub 上已知网络的检查点，在本页打开期间加入对比：最多 {count} 个，作答前都先在此用测试图片测量",
    ),
    "bring.add": ("Add", "加入"),
    "bring.remove": ("Remove {network}", "移除 {network}"),
    "bring.coming": ("{done} of {all} MB came", "已下载 {done} / {all} MB"),
    "bring.measuring": ("measuring: {done} of {all} test pictures", "测量中：{done} / {all} 张测试图片"),
    "bring.slow": (
        "It is still on its way after {minutes} minutes. The download goes on: add it again later.",
        "{minutes} 分钟后仍未下载完。下载会继续，请稍后再加入。",
    ),
    "bring.unknown": (
        "That is not a checkpoint of a known network. Type owner, network, data set and, for another than main, "
        "revision: {example}.",
        "这不是已知网络的检查点。请按“所有者/网络.数据集@修订版本”输入，如 {example}；省略修订版本即为 main。",
    ),
    "bring.dataset": (
        "{id} is of the data set {its}, and {chosen} is chosen; choose {its} above the canvas first.",
        "{id} 属于“{its}”数据集，而现在选的是“{chosen}”；请先在画板上方选择“{its}”。",
    ),
    "bring.full": (
        "There are {count} of others already, as many as can be; remove one first.",
        "已加入 {count} 个他人的网络，达到上限；请先移除一个。",
    ),
    "bring.left": (
        "The address names {named} networks of others; the first {count} are added, as many as can be.",
        "地址中有 {named} 个他人的网络；只加入前 {count} 个，已达上限。",
    ),
    "bring.refused": ("Not added: {why}.", "无法加入：{why}。"),
    # What the networks see.
    "steps.title": ("What the networks see", "网络看到的样子"),
    "steps.nothing": ("Nothing yet", "暂无图片"),
    "steps.decoded": ("As decoded, turned as EXIF says", "解码结果，按 EXIF 转正"),
    "steps.decoded.unturned": ("As decoded; EXIF turns nothing", "解码结果；EXIF 未要求旋转"),
    "steps.polarity": ("Bright on dark", "亮字暗底"),
    "steps.ink": ("Ink and its box", "笔迹与外框"),
    "steps.scale.digits": ("Into {side}×{side}", "缩放到 {side}×{side}"),
    "steps.scale.clothing": ("Longer edge {side}", "长边缩放到 {side}"),
    "steps.centre.digits": ("Centred by mass", "按质心居中"),
    "steps.centre.clothing": ("Centred", "居中"),
    "steps.normalisation": ("Normalised: less the mean, over the deviation", "归一化：减去均值，除以标准差"),
    "steps.input": ("{names}: {side}×{side}", "{names}：{side}×{side}"),
    "steps.why": (
        "Switch a step off and see what it is worth: all networks answer again at once.",
        "关掉某一步，看看它的作用：所有网络会立即重新作答。",
    ),
    # Keep and share.
    "keep.link": ("Copy link", "复制链接"),
    "keep.copied": ("Copied", "已复制"),
    "keep.uncopied": ("The address of this page is the link", "本页地址即为链接"),
    "keep.label": ("This is", "这是"),
    "keep.label.why": (
        "Say what you drew, here or with a key from 0 to 9, and it joins your handwriting",
        "在此或用 0 到 9 键标出所画内容，便会加入“我的笔迹”",
    ),
    "keep.labelled": ("Labelled {label}", "已标为 {label}"),
    "keep.steps": ("Switch every step on first, then label it", "请先打开所有步骤，再作标注"),
    "keep.restore": ("Draw this again", "恢复这幅画"),
    "keep.history": ("Drawings of this visit", "本次访问的画"),
    "keep.mine": ("My handwriting, {count} labelled: {networks}", "我的笔迹，已标 {count} 幅：{networks}"),
    "keep.export": ("Export as zip", "导出为 zip"),
    # Why.
    "why.title": ("Why", "为什么"),
    "why.wait": ("Computing …", "正在计算……"),
    "why.heat": ("Where each network looked", "各网络看了哪里"),
    "why.heat.of": (
        "What speaks for {label}; choose a class on the board for another. Left: Grad-CAM, the share of each "
        "place in the last stage of convolutions that has any. Right: occlusion, the probability that is lost "
        "where a square of {window}×{window} is blackened; blue where it is gained. All networks on one scale: "
        "full colour is {cam} % of the whole on the left, {lost} points on the right.",
        "支持“{label}”的地方；在结果表上可另选一类。左：Grad-CAM，最后一个仍有位置之分的卷积阶段中各处所占份额。"
        "右：遮挡，把 {window}×{window} 的方块涂黑后损失的概率；蓝色表示反而升高。所有网络用同一标度："
        "左图满色为总量的 {cam} %，右图满色为 {lost} 个百分点。",
    ),
    "why.cam.alt": ("Grad-CAM of {name} for {label}", "{name} 对“{label}”的 Grad-CAM"),
    "why.occlusion.alt": ("Occlusion of {name} for {label}", "{name} 对“{label}”的遮挡图"),
    "why.break": ("What it takes to break it", "怎样才会出错"),
    "why.break.of": (
        "Each line: the probability that a network still gives its own first answer, as the picture is disturbed more.",
        "每条线：随着干扰加大，一个网络仍给自己最初答案的概率。",
    ),
    "why.shift": ("Shifted right, pixels", "右移（像素）"),
    "why.rotate": ("Turned, degrees", "旋转（度）"),
    "why.scale": ("Scaled by", "缩放倍数"),
    "why.thicken": ("Thickened, pixels", "加粗（像素）"),
    "why.blur": ("Blurred, sigma in pixels", "模糊（σ，像素）"),
    "why.noise": ("Noise, deviation from white 1", "噪声（标准差，白为 1）"),
    "why.breaks": ("{names} breaks first, at {amount}", "{names} 在 {amount} 处最先出错"),
    "why.break.many": ("{names} break first, at {amount}", "{names} 在 {amount} 处最先出错"),
    "why.holds": ("Nobody breaks", "无一出错"),
    "why.looks": ("Many looks at one picture", "多看几眼"),
    "why.looks.of": (
        "The picture at {scales} scales: four corners, the centre, and the whole{mirror}. Of the {paper} looks of the "
        "GoogLeNet paper, {count} differ here, as the three squares of a square picture are one.",
        "把图片放大到 {scales} 种尺度，各取四角、中央与整体{mirror}。GoogLeNet 论文的 {paper} 个视图中，"
        "这里有 {count} 个不同，因为正方形图片的三个方块是同一个。",
    ),
    "why.mirrored": (", mirrored too", "，并加镜像"),
    "why.unmirrored": (
        "; no mirrors, for a mirrored digit is another sign",
        "；不取镜像，因为数字的镜像不再是那个数字",
    ),
    "why.network": ("Network", "网络"),
    "why.single": ("One look", "看一眼"),
    "why.many": ("{count} looks", "看 {count} 眼"),
    "why.cost": ("Cost", "代价"),
    "why.times": ("{times} × the time", "{times} 倍时间"),
    "why.alike": ("Closest mistakes", "最相近的错误"),
    "why.alike.split": (
        "Test pictures on which {names} disagree as they do on yours, the nearest to it first.",
        "测试集中，{names} 出现与你这幅画相同分歧的图片，最接近者在前。",
    ),
    "why.alike.agreed": (
        "Test pictures that {names} take for what they take yours for, at least one of them wrongly; the nearest to "
        "it first.",
        "测试集中，{names} 给出与你这幅画相同的回答、且至少有一个答错的图片，最接近者在前。",
    ),
    "why.alike.all": ("All answer as here: {count}", "全部与此处回答相同：{count} 张"),
    "why.alike.some": (
        "{same} of {networks} answer as here: {count}",
        "{networks} 个中有 {same} 个与此处回答相同：{count} 张",
    ),
    "why.alike.unknown": (
        "Left out, as what it says of the test pictures is not on file: {names}.",
        "未计入（没有其测试集回答的记录）：{names}。",
    ),
    "why.alike.is": ("is {label}", "实为：{label}"),
    "why.alike.says": ("{label}: {names}", "{label}：{names}"),
    # The Layers tab. Kinds are those of cnn_models.operations; what isn't here is called what torch calls it.
    "kind.convolution": ("Convolution", "卷积"),
    "short.convolution": ("conv", "卷积"),
    "short.average pool": ("avg-pool", "平均池化"),
    "short.adaptive average pool": ("avg-pool", "平均池化"),
    "short.global average pool": ("avg-pool", "平均池化"),
    "kind.max-pool": ("Max-pool", "最大池化"),
    "kind.average pool": ("Average pool", "平均池化"),
    "kind.adaptive average pool": ("Adaptive average pool", "自适应平均池化"),
    "kind.global average pool": ("Global average pool", "全局平均池化"),
    "kind.linear": ("Linear", "全连接"),
    "kind.flatten": ("Flatten", "展平"),
    "kind.concatenate": ("Concatenate", "通道拼接"),
    "kind.add": ("Add", "相加"),
    "kind.dropout": ("Dropout", "随机失活"),
    "kind.shortcut": ("Shortcut", "捷径"),
    "kind.Residual Block": ("Residual Block", "残差块"),
    "kind.Inception": ("Inception", "Inception 块"),
    "kind.Inception A": ("Inception A", "Inception A 块"),
    "layers.networks": ("Networks", "网络"),
    "layers.size": ("Input size", "输入尺寸"),
    "layers.none": ("Choose a network.", "请选择一个网络。"),
    "layers.copy.markdown": ("Copy as Markdown", "复制为 Markdown"),
    "layers.copy.csv": ("Copy as CSV", "复制为 CSV"),
    "layers.copied": ("Copied.", "已复制。"),
    "layers.table": ("Layers of {names}", "{names} 各层"),
    "layers.diagram": ("Diagram of {network}", "{network} 结构图"),
    "layers.box": ("{layer}: {output}, {parameters} parameters", "{layer}：{output}，{parameters} 个参数"),
    "layers.layer": ("Layer", "层"),
    "layers.window": ("Window", "窗口"),
    "layers.stride": ("stride {value}", "步幅 {value}"),
    "layers.pad": ("pad {value}", "填充 {value}"),
    "layers.dilation": ("dilation {value}", "空洞 {value}"),
    "layers.input": ("Input", "输入"),
    "layers.output": ("Output", "输出"),
    "layers.maps": ("{count} maps", "{count} 组特征图"),
    "layers.sees": ("Sees", "感受野"),
    "layers.all": ("all", "全图"),
    "layers.memory": ("Memory", "内存"),
    "layers.bytes": ("Memory, bytes", "内存（字节）"),
    "layers.parameters": ("Parameters", "参数"),
    "layers.macs": ("MACs", "乘加"),
    "layers.time": ("Time", "用时"),
    "layers.total": ("Total", "合计"),
    "layers.vector": ("no map left, a vector", "不再是图，而是向量"),
    "layers.sum.parameters": ("parameters", "个参数"),
    "layers.sum.macs": ("multiply-accumulates", "次乘加"),
    "layers.sum.input": ("input", "输入"),
    "layers.sum.output": ("{output} logits out", "输出 {output} 个 logit"),
    "layers.sum.memory": ("{memory} of outputs, {time} here", "各层输出共 {memory}，本机用时 {time}"),
    "layers.convolutions": ("convolutions", "卷积"),
    "layers.linears": ("linear", "全连接"),
    "layers.note": (
        "Networks are aligned by the size of their maps: {first}, its half, its quarter …, or what is nearest. "
        "Output: channels × height × width. Sees: the side, in pixels, of the square of the input that one value "
        "depends on at most. Memory: what the outputs of a layer add for one picture, as float32. MACs: "
        "multiply-accumulates of convolutions and linear layers for one picture. Time: of one picture on this "
        "machine, the median of {runs} runs. A row opens to its formulas.",
        "各网络按特征图的边长对齐：{first}、其二分之一、四分之一……取最接近者。输出：通道 × 高 × 宽。感受野：一个输出"
        "值最多依赖输入中边长多少像素的正方形。内存：处理一张图片时该层输出所占空间（float32）。乘加：一张图片在卷积与全连"
        "接层中的乘加次数。用时：本机处理一张图片，取 {runs} 次的中位数。点开一行可见其公式。",
    ),
    "layers.drawn": ("Your drawing flows through.", "你的画正流过网络。"),
    "layers.undrawn": (
        "Nothing is drawn on the Compare tab yet, so a test picture flows through.",
        "“对比”页上还没有画，因此用一张测试图片流过网络。",
    ),
    "layers.strips": (
        "Below each layer are its strongest channels, those with the largest mean absolute value. Zero is black, "
        "positive white, negative blue; choose a strip to enlarge it. A silent channel is zero everywhere, a dead "
        "one for every picture.",
        "每层下方是最强的通道，即绝对值均值最大者。零为黑色，正值为白色，负值为蓝色；点击可放大。"
        "“沉默”的通道处处为零，“死亡”的通道对每张图片都为零。",
    ),
    "layers.strip.channels": ("{layer}: {shown} of {count} channels", "{layer}：{count} 个通道中的 {shown} 个"),
    "layers.strip.filters": ("{layer}: {shown} of {count} filters", "{layer}：{count} 个卷积核中的 {shown} 个"),
    "layers.strip.values": ("{layer}: {count} values", "{layer}：{count} 个值"),
    "layers.strip.silent": (
        "· {silent} silent, {dead} dead in {tested} test pictures",
        "· 沉默 {silent} 个，在 {tested} 张测试图片中全部沉默（“死亡”）{dead} 个",
    ),
    # LeNet-5 against AlexNet.
    "versus.title": ("LeNet-5 against AlexNet, row by row", "LeNet-5 与 AlexNet 逐行对照"),
    "versus.why": ("What changed, and why", "变化及原因"),
    "versus.costs": ("{parameters} parameters, {macs} MACs", "{parameters} 个参数，{macs} 次乘加"),
    "versus.row.input": ("Input", "输入"),
    "versus.why.input": (
        "Photographs of things have detail that digits have not. Here the same {size}×{size} pictures are enlarged "
        "for AlexNet, which then sees nothing new.",
        "实物照片的细节远多于数字。本页只是把同样的 {size}×{size} 图片放大后送入 AlexNet，并没有新的信息。",
    ),
    "versus.row.conv1": ("First convolution", "第一层卷积"),
    "versus.why.conv1": (
        "A larger window with a stride of {stride} brings the large picture down at once; {times} times the filters, "
        "as there is more to tell apart.",
        "更大的窗口配合步幅 {stride}，一步就把大图缩小；要区分的东西更多，卷积核数量是原来的 {times} 倍。",
    ),
    "versus.row.activation": ("Activation", "激活函数"),
    "versus.why.activation": (
        "Tanh is flat at both ends, and its gradient vanishes there. ReLU keeps the gradient of every value above "
        "zero, is cheaper, and let a deep network learn several times faster, as its paper reports.",
        "tanh 两端平坦，梯度在那里消失。ReLU 对所有正值保留梯度，计算也更省；据其论文，深层网络的学习因此快了数倍。",
    ),
    "versus.row.pool1": ("First pooling", "第一次池化"),
    "versus.why.pool1": (
        "The maximum says that a feature is there, the average only how much of it there is around. Windows of "
        "{kernel} at a stride of {stride} overlap, which overfitted a little less, its paper found.",
        "最大值表示“特征存在”，平均值只表示周围有多少。窗口 {kernel}、步幅 {stride} 的池化互相重叠；其论文发现这样过拟"
        "合略轻。",
    ),
    "versus.row.conv2": ("Second convolution", "第二层卷积"),
    "versus.why.conv2": (
        "The same window, but many more channels in and out. Padding keeps the size of the map; LeNet loses its "
        "border.",
        "窗口相同，但输入、输出通道多得多。填充保持特征图大小；LeNet 则丢掉边缘。",
    ),
    "versus.row.pool2": ("Second pooling", "第二次池化"),
    "versus.why.pool2": ("As the first.", "同第一次。"),
    "versus.row.deep": ("More convolutions", "更多卷积"),
    "versus.why.deep": (
        "{count} in a row without pooling between them: depth. The paper found that taking any of them out made it "
        "worse. LeNet's third covers its whole map, so it is a dense layer in disguise.",
        "{count} 层连续卷积，中间没有池化，这就是“深”。论文发现去掉任何一层都会变差。LeNet 的第三层卷积覆盖整张特征图，"
        "实为全连接层。",
    ),
    "versus.row.pool3": ("Last pooling", "最后的池化"),
    "versus.why.pool3": (
        "Brings the maps down before the dense layers, whose cost grows with every pixel. The adaptive pool changes "
        "nothing at {size} and lets smaller pictures through.",
        "在全连接层之前缩小特征图，因为后者的开销随像素增长。自适应池化在输入为 {size} 时不起作用，"
        "只为让更小的图片通过。",
    ),
    "versus.row.flatten": ("Flatten", "展平"),
    "versus.why.flatten": (
        "{times} times the values: this is what makes AlexNet's first dense layer so large.",
        "数值是 {times} 倍：AlexNet 第一个全连接层因此如此庞大。",
    ),
    "versus.row.dense": ("Dense layers", "全连接层"),
    "versus.why.dense": (
        "{parameters} of AlexNet's parameters for {macs} of its arithmetic; GoogLeNet did away with them {years} years "
        "later.",
        "占了 AlexNet 参数的 {parameters}，却只占运算的 {macs}；{years} 年后 GoogLeNet 干脆去掉了它们。",
    ),
    "versus.row.dropout": ("Dropout", "随机失活"),
    "versus.why.dropout": (
        "While training, {share} of the dense values are left out at random, so that none can rely on another: "
        "without it, so many parameters overfit. When answering it does nothing.",
        "训练时随机去掉 {share} 的全连接值，使彼此不能依赖：否则这么多参数会过拟合。作答时它不起作用。",
    ),
    "versus.row.output": ("Output", "输出"),
    "versus.why.output": (
        "Both end in {count} values for softmax here. LeNet's paper measured distances to drawn prototypes instead; "
        "AlexNet's told a thousand classes apart.",
        "本页两者都以供 softmax 使用的 {count} 个值结束。LeNet 论文原用到样板的距离；AlexNet 论文分一千类。",
    ),
    "versus.row.total": ("Together", "合计"),
    "versus.why.total": (
        "Deeper and much wider. What made it possible were, by its paper, 1.2 million labelled photographs and two "
        "graphics cards.",
        "更深，也宽得多。据其论文，使之成为可能的是 120 万张带标签的照片和两块显卡。",
    ),
    "versus.row.training": ("Training pictures", "训练图片"),
    "versus.original": ("as they are, then distorted too", "原样，后来也用变形"),
    "versus.augmented": ("cropped, mirrored, recoloured", "裁剪、镜像、变色"),
    "versus.why.training": (
        "AlexNet was shown crops, mirror images and shifted colours of each photograph: more pictures for nothing.",
        "AlexNet 训练时看到每张照片的裁剪、镜像和变色版本：不花代价就多出许多图片。",
    ),
    # The Training tab.
    "training.running": ("under way", "训练中"),
    "training.stopped": ("stopped", "已中断"),
    "training.further": ("going on", "接续训练"),
    "training.length.one": ("{epochs} epoch", "{epochs} 轮"),
    "training.length.many": ("{epochs} epochs", "{epochs} 轮"),
    "training.times": ("{count} runs", "共 {count} 次"),
    "training.none": (
        "Choose at least one run; `python -m training.train lenet5.mnist` makes one.",
        "请至少选择一次训练；运行 `python -m training.train lenet5.mnist` 可得到一次。",
    ),
    "training.runs": ("Runs", "训练"),
    "training.axis": ("Horizontal", "横轴"),
    "training.by.epoch": ("by epoch", "按轮次"),
    "training.by.time": ("by time", "按时间"),
    "training.log": ("Logarithmic", "对数坐标"),
    "training.smoothing": ("Smoothing", "平滑"),
    "training.key": (
        "Solid: on pictures held out from training (by the recipe “source”, on the test pictures). Dotted: on the "
        "pictures trained on, as the recipe varies them. Dashed: what others report. Several runs of a recipe, "
        "repeated or with other seeds, are their mean, with a band from lowest to highest. A network has the same "
        "colour everywhere; symbols tell its runs apart.",
        "实线：训练未用的留出图片（方案“source”为测试图片）；点线：训练所用的图片（按方案变动）；"
        "虚线：他人报告的数字。同一方案的多次训练（种子不同，或重复）以均值表示，色带为最低到最高。每个网络处处同色，其各次训练以符号区分。",
    ),
    "training.chart.accuracy": ("Accuracy (%)", "准确率（%）"),
    "training.chart.error": ("Error (%), 100 less the accuracy", "错误率（%），即 100 减准确率"),
    "training.chart.loss": ("Loss", "损失"),
    "training.chart.lr": ("Learning rate", "学习率"),
    "training.chart.images_per_second": ("Images per second", "每秒图片数"),
    "training.part.val": ("validation", "验证"),
    "training.part.train": ("training", "训练"),
    "training.epoch": ("epoch", "轮次"),
    "training.minutes": ("minutes", "分钟"),
    "training.at.epoch": ("epoch {value}", "第 {value} 轮"),
    "training.at.minutes": ("{value} min", "{value} 分钟"),
    "training.quoted": ("Reported by others, not measured here:", "他人报告、并非本页测得："),
    "training.quoted.run": (
        "{name}: {accuracy} % after {epochs} epochs of SGD at {lr} in batches of {batch}, in the course text on "
        "convolution arithmetic, LeNet-5, AlexNet, GoogLeNet and ResNet; the recipe “source” repeats that run",
        "{name}：{accuracy} %，SGD，学习率 {lr}，每批 {batch} 张，{epochs} 轮；出自讲解卷积运算、LeNet-5、AlexNet、"
        "GoogLeNet 和 ResNet 的课程文本，方案“source”重复该训练",
    ),
    "training.figures": ("Final figures", "最终数字"),
    "training.run": ("run", "训练"),
    "training.charts": ("Charts to show", "要显示的图"),
    "training.network": ("network", "网络"),
    "training.validation": ("validation", "验证"),
    "training.test": ("test accuracy", "测试准确率"),
    "training.loss": ("test loss", "测试损失"),
    "training.calibration": ("calibration error", "校准误差"),
    "training.epochs": ("epochs", "轮次"),
    "training.interval": ("{confidence} % interval", "{confidence} % 区间"),
    "training.parameters": ("parameters", "参数"),
    "training.macs": ("MACs", "乘加"),
    "training.milliseconds": ("time", "用时"),
    "training.megabytes": ("file", "文件"),
    "training.worth": ("% per MB", "每 MB 百分点"),
    "training.seed": ("seed {seed}", "种子 {seed}"),
    "training.recipe": ("Recipe:", "方案："),
    "recipe.learn": (
        "{optimizer} in batches of {batch}, epochs: {epochs},",
        "{optimizer}，{epochs} 轮，每批 {batch} 张；",
    ),
    "recipe.cycle": (
        "with a rate that rises to {lr} and falls to almost nothing (one cycle).",
        "学习率先升到 {lr} 再降到几乎为零（one cycle）。",
    ),
    "recipe.constant": ("at a constant rate of {lr}.", "学习率恒为 {lr}。"),
    "recipe.decay": ("Weights decay by {decay}.", "权重衰减 {decay}。"),
    "recipe.average": (
        "What is kept is their moving average ({average} of it stays at each step).",
        "保留的是权重的滑动平均（每步保留 {average}）。",
    ),
    "recipe.init": ("They begin as {init} proposed.", "按 {init} 的方法初始化。"),
    "recipe.begun": (
        "This training went on from another's weights. To repeat it, run one after the other:",
        "本次训练从另一次训练的权重继续。要重复它，请依次运行：",
    ),
    "recipe.leg": (
        "`{command}` at commit {commit}, whose weights had the SHA-256 {weights}…",
        "`{command}`（提交 {commit}，所得权重的 SHA-256 为 {weights}…）",
    ),
    "recipe.end": (", and the command above.", "，再运行上面的命令。"),
    "recipe.small": (
        "The first {epochs} epochs see pictures of {side}×{side}, which cost less.",
        "前 {epochs} 轮使用 {side}×{side} 的图片，开销较小。",
    ),
    "recipe.varied": ("Each time a picture is shown it is changed at random:", "每次出示图片时随机变动："),
    "recipe.varied.degrees": ("turned by up to {value}°", "旋转至多 {value}°"),
    "recipe.varied.shear": ("slanted by up to {value}°", "倾斜至多 {value}°"),
    "recipe.varied.shift": ("shifted by up to {value} pixels", "平移至多 {value} 像素"),
    "recipe.varied.scale": ("scaled by up to {value} %", "缩放至多 {value} %"),
    "recipe.varied.elastic": ("bent by about {value} pixels", "弹性形变约 {value} 像素"),
    "recipe.varied.erase": ("a square of {value} pixels blackened", "涂黑边长 {value} 像素的方块"),
    "recipe.varied.flip": ("mirrored half of the time", "一半机会镜像"),
    "recipe.varied.cutmix": (
        "patched with a part of another picture in {value} % of the batches (so the accuracy in training reads low)",
        "{value}% 的批次中以另一张图片的一块替换一部分（因此训练中的准确率偏低）",
    ),
    "recipe.unvaried": ("Pictures are shown as they are.", "图片原样出示。"),
    "recipe.taught": (
        "It learns from the answers of {names}, at temperature {temperature}, instead of the labels.",
        "不学标签，而学 {names} 在温度 {temperature} 下的回答。",
    ),
    # Which pictures were trained on: said in English by the card.
    "recipe.split": (
        "trained on the first {train} training pictures, validated on the last {held}",
        "用前 {train} 张训练图片训练，用最后 {held} 张验证",
    ),
    "recipe.split.taught": (
        "trained on the first {train} training pictures, validated on the last {held}, taught by {names}",
        "用前 {train} 张训练图片训练，用最后 {held} 张验证，由 {names} 教授",
    ),
    "recipe.split.none": (
        "trained on all {train}, validated on the test set",
        "用全部 {train} 张训练，用测试集验证",
    ),
    "recipe.tested": (
        "No picture is held out: the test set is the validation set.",
        "不留出图片：以测试集作验证集。",
    ),
    "training.made": ("commit {commit}, {date}.", "提交 {commit}，{date}。"),
    "machine.title": ("Time machine", "时光机"),
    "machine.none": (
        "No network of {dataset} has kept its snapshots, so there is no going back in time yet. Small networks keep "
        "them when they are trained:",
        "{dataset} 上还没有网络保存过快照，暂时无法回到过去。小型网络在训练时会保存快照：",
    ),
    "machine.drawn": (
        "What your drawing was taken for before the training (epoch 0) and after each epoch, by the weights of that "
        "time. A network that trained for fewer epochs stays at its last.",
        "训练之前（第 0 轮）和每一轮之后，网络用当时的权重把你的画认作什么。轮次较少的网络停在最后一轮。",
    ),
    "machine.undrawn": (
        "Nothing is drawn on the Compare tab yet, so this is a test picture: what it was taken for before the "
        "training (epoch 0) and after each epoch, by the weights of that time. A network that trained for fewer "
        "epochs stays at its last.",
        "“对比”页上还没有画，因此用一张测试图片：训练之前（第 0 轮）和每一轮之后，网络用当时的权重把它认作什么。"
        "轮次较少的网络停在最后一轮。",
    ),
    "machine.slider": ("Epoch", "轮次"),
    "machine.play": ("Play", "播放"),
    "machine.epoch": ("Epoch {epoch} of {last}", "第 {epoch} 轮，共 {last} 轮"),
    "machine.chance": ("Probability of", "此类的概率："),
    "machine.answers": ("Probability of {answer}, over the epochs", "各轮次中 {answer} 的概率"),
    "machine.error": ("Error on held-out pictures (%), log scale", "留出图片上的错误率（%），对数坐标"),
    "training.leaderboard": ("Leaderboard", "排行榜"),
    "training.unevaluated": (
        "No checkpoint of this data set was evaluated yet; python -m training.evaluate --all does it.",
        "该数据集还没有评测过的检查点：可运行 python -m training.evaluate --all。",
    ),
    "training.against": ("Accuracy against", "准确率对比"),
    "training.cost.parameters": ("parameters", "参数"),
    "training.cost.macs": ("multiply-accumulates", "乘加次数"),
    "training.cost.milliseconds": ("milliseconds for one picture here", "本机处理一张图片的毫秒数"),
    "training.cost.megabytes": ("megabytes of the file", "文件大小（MB）"),
    "training.pareto": (
        "The dotted line joins the networks that no other beats in both. Bars are the {confidence} % interval (Wilson) "
        "of the accuracy, were the {count} test pictures drawn anew.",
        "点线连接在两方面都未被超越的网络。竖条是准确率的 {confidence} % 区间（Wilson），"
        "设想重新抽取 {count} 张测试图片。",
    ),
    "reliability.title": ("How sure they may be", "把握是否可信"),
    "reliability.why": (
        "Of the {dataset} test pictures for which a network is about so sure ({bins} bins), the share it has right. "
        "On the diagonal, 90 % sure is right 90 times of 100. Bins with few pictures scatter: hover over a dot for how "
        "many there are.",
        "把网络把握相近的 {dataset} 测试图片归为一组（共 {bins} 组），看其中答对的比例。落在对角线上，"
        "90 % 的把握就是百中九十。图片少的组波动大：悬停可见张数。",
    ),
    "reliability.before": ("before the temperature", "温度校准前"),
    "reliability.after": ("after", "温度校准后"),
    "reliability.sure": ("sureness (%); upwards: share that is right (%)", "横轴：把握（%）；纵轴：答对的比例（%）"),
    "reliability.missing": (
        "{names}: measured before this diagram was kept, or not at all; python -m training.evaluate --all measures it.",
        "{names}：尚未测量，或测量时还没有这张图；可运行 python -m training.evaluate --all。",
    ),
    "mistakes.title": ("Two networks against each other", "两个网络对比"),
    "mistakes.network": ("Network", "网络"),
    "mistakes.right": ("{network} right", "{network} 答对"),
    "mistakes.wrong": ("{network} wrong", "{network} 答错"),
    "mistakes.all": ("All wrong", "全部答错"),
    "mistakes.only": ("Only {network} right", "只有 {network} 答对"),
    "mistakes.counts": (
        "Of the {count} {dataset} test pictures, only {a} has {only_a} right, only {b} has {only_b}.",
        "{count} 张 {dataset} 测试图片中，只有 {a} 答对的有 {only_a} 张，只有 {b} 答对的有 {only_b} 张。",
    ),
    "mistakes.differ": (
        "Were both equally good, counts as unequal as these would come with a probability p {chance} (McNemar's "
        "exact test): they differ.",
        "若两者同样好，出现如此悬殊的概率 p {chance}（McNemar 精确检验）：二者确有差别。",
    ),
    "mistakes.alike": (
        "Were both equally good, counts as unequal as these would come with a probability p {chance} (McNemar's "
        "exact test): no difference is shown.",
        "若两者同样好，出现如此悬殊的概率 p {chance}（McNemar 精确检验）：看不出差别。",
    ),
    "mistakes.matrix": (
        "{network}: what the pictures of each row are taken for, and the share that is recognised",
        "{network}：每一行的图片被认作什么，以及认对的比例",
    ),
    "mistakes.cell": ("{truth} taken for {said}", "{truth} 被认作 {said}"),
    "mistakes.shown": ("{shown} of {count} pictures", "{count} 张图片中的 {shown} 张"),
    # The Learn tab.
    "tab.learn": ("Learn", "学习"),
    "learn.convolution": ("Convolution", "卷积"),
    "learn.convolution.why": (
        "A convolution lays a small kernel on the picture, multiplies each number below it with its own, adds up, and "
        "moves on. The pictures are test digits made small, the kernels rise from one side to the other, so that they "
        "find edges. Move the step to follow by hand; the padding is pale, what is below zero orange.",
        "卷积把一个小卷积核放在图片上，逐一相乘再相加，然后移动。图片是缩小的测试数字；卷积核从一侧到另一侧递增，"
        "因此能找出边缘。拖动“步”可以手动跟随；浅色部分是填充，橙色为负值。",
    ),
    "learn.pooling": ("Pooling", "池化"),
    "learn.pooling.why": (
        "Pooling leaves one number of each window: its maximum, which keeps a stroke however thin, or its average, "
        "which pales it. Move the step to follow the window.",
        "池化在每个窗口中只留下一个数：取最大值，再细的笔画也会保留；取平均值，笔画会变淡。拖动“步”可移动窗口。",
    ),
    "learn.pointwise": ("1×1 convolutions", "1×1 卷积"),
    "learn.pointwise.why": (
        "A 1×1 convolution mixes the channels of each pixel. Put before a large kernel, it leaves fewer channels "
        "for it to multiply. Multiplications, drawn to scale; the sliders begin at the 5×5 branch of GoogLeNet's "
        "block 3a:",
        "1×1 卷积混合每个像素的各通道。放在大卷积核之前，可减少其要乘的通道。乘法次数按比例绘出；"
        "滑块的初值取自 GoogLeNet 的 3a 块的 5×5 分支：",
    ),
    "learn.dense": ("Average pooling against dense layers", "平均池化与全连接层"),
    "learn.dense.why": (
        "Where the parameters are: in dense layers (orange), each with its formula, or elsewhere. Both networks are "
        "drawn to one scale, what is below them to another.",
        "参数在哪里：橙色为全连接层，各附公式。两个网络按同一比例绘出，下方另用一个比例。",
    ),
    "learn.inception": ("Inception", "Inception 块"),
    "learn.inception.why": (
        "It is told that training picks the best kernel of an Inception block and lets the others fade. If so, "
        "switching the others off would cost nothing. Switch branches of the real network off and see what the answer "
        "to your drawing and the accuracy on the test pictures lose: nothing is trained again, a branch gives zeros.",
        "有种说法：训练会选出 Inception 块中最好的卷积核，其余逐渐消失。果真如此，关掉其余分支就毫无损失。请关掉真实"
        "网络的分支，看看对你的画的回答和测试图片上的准确率损失多少：不重新训练，被关的分支只输出零。",
    ),
    "learn.shortcuts": ("Shortcuts", "捷径"),
    "learn.shortcuts.why": (
        "A residual block adds what its convolutions make of x to x itself: H(x) = F(x) + x. Switch the shortcut off "
        "and H is F alone; switch F off and H is x alone. The network was trained with both, and is not trained again.",
        "残差块把卷积对 x 的加工结果加回 x 本身：H(x) = F(x) + x。关掉捷径，H 只剩 F；关掉 F，H 只剩 x。网络训练时二者"
        "都在，此处不重新训练。",
    ),
    "learn.averages": ("Many looks, many networks", "多看几眼、多个网络"),
    "learn.averages.why": (
        "Averaging the probabilities of several networks, or of several crops of one picture, can make up for some "
        "mistakes and costs as many times the arithmetic. Whether it does is measured below: these pictures fill "
        "their frame already, and a crop may cut off what matters.",
        "对多个网络、或对同一图片多个裁剪的概率求平均，有可能弥补一些错误，但运算量成倍增加。究竟是否有益，请看下面的实"
        "测：这些图片本就占满画面，裁剪可能切掉要紧的部分。",
    ),
    "switches.off": ("Switch off:", "关掉："),
    "switches.part.of": ("{block} {part}", "{block}的{part}"),
    "switches.all": ("All of {part}", "{part} 全部"),
    "switches.branch.pool": ("pool", "池化"),
    "switches.branch.shortcut": ("shortcut", "捷径"),
    "switches.each": ("Switch each off by itself", "逐个单独关掉"),
    "switches.drawn": ("Your drawing from the Compare tab.", "你在“对比”页上的画。"),
    "switches.undrawn": (
        "Nothing is drawn on the Compare tab yet, so this is a test picture.",
        "“对比”页上还没有画，因此用一张测试图片。",
    ),
    "switches.whole": ("The whole network", "完整的网络"),
    "switches.cut": ("With parts off", "关掉部分后"),
    "switches.reads": ("answers", "回答"),
    "switches.accuracy": ("test accuracy", "测试准确率"),
    "switches.change": ("change", "变化"),
    "switches.test": ("Accuracy on all {count} test pictures", "全部 {count} 张测试图片上的准确率"),
    "switches.part": (
        "Accuracy on {count} of the {all} test pictures so far, as many of each class",
        "到目前为止，{all} 张测试图片中 {count} 张（每类同样多）上的准确率",
    ),
    "switches.memory": (
        "The graphics card is full at the moment; try again in a while.",
        "显卡内存暂时不足；请稍后再试。",
    ),
    "switches.each.of": ("Measured on all {count} test pictures:", "在全部 {count} 张测试图片上测得："),
    "switches.each.part": (
        "Measured on {count} of the {all} test pictures so far, as many of each class:",
        "到目前为止，在 {all} 张测试图片中的 {count} 张（每类同样多）上测得：",
    ),
    "blocks.weights": (
        "How large the weights of each branch are, over the epochs (root mean square)",
        "各分支权重的大小随训练轮次的变化（均方根）",
    ),
    "blocks.weights.none": (
        "This network has kept no snapshots of its training, so its weights of earlier epochs are not known.",
        "该网络训练时没有保存快照，因此不知道此前各轮的权重。",
    ),
    "blocks.derivatives": (
        "How strongly the logit of the answer depends on the input of each block, by norm of the derivatives: through "
        "the convolutions, through the shortcut, where they are multiplied by 1, and by both (derivatives add, their "
        "norms do not), for the answer",
        "回答的 logit 对各残差块输入的依赖程度（导数的范数）：经由卷积、经由捷径（只乘以 1）、二者之和（相加的是导数，"
        "不是范数）；这里的回答：",
    ),
    "blocks.through": ("through F", "经由 F"),
    "blocks.straight": ("through the shortcut", "经由捷径"),
    "blocks.both": ("both", "合计"),
    "depth.title": ("What depth alone does", "仅仅加深会怎样"),
    "depth.why": (
        "Plain and residual networks of {few} and {many} layers, from the same seed and by the same recipe. If depth "
        "could only help, the {many} layers would fit the training pictures at least as well. One thing differs: where "
        "there is no batch norm, the last convolution of each residual block begins at zero, so that the block begins "
        "as the identity (Zhang et al. 2019, Fixup). Otherwise the variance would double with every block.",
        "{few} 层与 {many} 层的普通网络和残差网络，同一种子、同一方案。若加深只有好处，{many} 层至少应同样好地拟合训练"
        "图片。只有一处不同：没有批归一化时，每个残差块的最后一个卷积从零开始，使该块起初是恒等映射（Zhang 等 2019，"
        "Fixup）；否则方差每过一块就翻一倍。",
    ),
    "depth.found": (
        "{many} layers instead of {few} change the accuracy on training pictures by {plain} points without shortcuts, "
        "and by {residual} with them.",
        "层数从 {few} 增至 {many}，训练图片上的准确率在无捷径时变化 {plain} 个百分点，"
        "有捷径时变化 {residual} 个百分点。",
    ),
    "depth.chain": (
        "The chain rule multiplies a factor for every layer; unless these are near 1, the gradient vanishes or "
        "explodes on its way back. With {many} layers that of the first is {plain} times that of the last convolution "
        "without shortcuts, and {residual} times with them.",
        "链式法则每层乘一个因子；若因子不接近 1，梯度在回传途中就会消失或爆炸。{many} 层时，第一层的梯度在无捷径时是"
        "最后一个卷积层的 {plain} 倍，有捷径时是 {residual} 倍。",
    ),
    "depth.norm": ("with batch norm", "有批归一化"),
    "depth.bare": ("without batch norm", "无批归一化"),
    "depth.start": ("gradients before training", "训练前的梯度"),
    "depth.end": ("gradients after training", "训练后的梯度"),
    "depth.none": ("The study has not been made here yet. This makes it:", "此处尚未做过该实验。运行以下命令："),
    "depth.damaged": (
        "The file of the study is damaged or not one of this kind. Move it away, then make the study again:",
        "实验文件已损坏，或不是这种文件。请将其移走，再运行以下命令重做：",
    ),
    "depth.part": (
        "{done} of {all} networks so far: the same command goes on with the study.",
        "目前完成 {all} 个网络中的 {done} 个：运行同一命令即可继续。",
    ),
    "depth.train": (
        "Accuracy on training pictures (%), the mean over each epoch while the network learns",
        "训练图片上的准确率（%），即每轮学习过程中的均值",
    ),
    "depth.val": (
        "Accuracy on held-out pictures (%), after each epoch",
        "留出图片上的准确率（%），每轮之后测得",
    ),
    "depth.gradients": ("Gradient of each layer's weights (L2 norm)", "各层权重的梯度（L2 范数）"),
    "depth.layer": ("layer, from the input", "层（从输入起）"),
    "depth.run": ("{layers} layers,", "{layers} 层，"),
    "depth.plain": ("plain", "普通"),
    "depth.residual": ("residual", "残差"),
    "depth.zero": (
        "the gradient is exactly zero in {count} of {all} layers, which a logarithmic axis cannot show",
        "{all} 层中有 {count} 层的梯度恰为零，对数坐标无法显示",
    ),
    "depth.wild": (
        "the gradient is no finite number in {count} of {all} layers: the numbers grew too large",
        "{all} 层中有 {count} 层的梯度不是有限数：数值过大而溢出",
    ),
    "depth.layers": ("layers", "层数"),
    "depth.shortcuts": ("shortcuts", "捷径"),
    "depth.normed": ("batch norm", "批归一化"),
    "depth.loss": ("training loss", "训练损失"),
    "depth.fitted": ("training accuracy", "训练准确率"),
    "depth.held": ("validation accuracy", "验证准确率"),
    "depth.yes": ("yes", "有"),
    "depth.no": ("no", "无"),
    "depth.diverged": ("diverged in epoch {epoch}", "第 {epoch} 轮发散"),
    "depth.facts": (
        "{epochs} epochs without augmentation; {date}. Gradients are of the first batch.",
        "{epochs} 轮，无增强；{date}。梯度取自第一批图片。",
    ),
    "averages.none": (
        "What averaging gains was not measured for the networks of this data set as they are now. This measures it:",
        "该数据集当前的网络还没有测量过求平均的效果。运行以下命令：",
    ),
    "averages.together": (
        "Test accuracy (%) of networks averaged: every choice of them, and the mean",
        "网络求平均后的测试准确率（%）：每种组合及均值",
    ),
    "averages.count": ("networks averaged", "求平均的网络数"),
    "averages.choose": ("Choose at least one network that is trained.", "请至少选择一个已训练的网络。"),
    "averages.chosen": (
        "Networks chosen: {count}. Together: {accuracy} % of the test pictures ({confidence} % interval {interval}), "
        "for {macs} multiply-accumulates a picture, {times} times those of the cheapest network.",
        "所选 {count} 个网络合计：测试图片的 {accuracy} %（{confidence} % 区间 {interval}），每张图片 {macs} 次乘加，"
        "是最省网络的 {times} 倍。",
    ),
    "averages.of": ("crops: {count} pictures", "裁剪：{count} 张图片"),
    "averages.missing": (
        "Not among them, as they were not trained when this was measured:",
        "以下网络在测量时尚未训练，不在其中：",
    ),
    "averages.gain": (
        "With {crops} crops in place of one look, {better} of {count} networks have more of the pictures right and "
        "{worse} fewer.",
        "以 {crops} 个裁剪代替看一眼，{count} 个网络中有 {better} 个答对更多，{worse} 个答对更少。",
    ),
    "averages.interval": (
        "Small figures: where the accuracy would be on endless pictures, with {confidence} % confidence (Wilson). The "
        "fewer the pictures, the wider.",
        "小字：若图片无穷多，准确率所在的 {confidence} % 区间（Wilson）。图片越少，区间越宽。",
    ),
    "averages.looks": ("Accuracy (%) by the number of crops averaged", "准确率（%）随裁剪数的变化"),
    "averages.crops": ("crops averaged", "求平均的裁剪数"),
    "averages.one": ("one look", "看一眼"),
    "averages.most": ("{count} crops", "{count} 个裁剪"),
    "averages.pictures": ("test pictures", "测试图片数"),
    "averages.macs": ("MACs, one look", "乘加（一眼）"),
    "averages.macs.most": ("MACs, {count} crops", "乘加（{count} 个裁剪）"),
    "averages.paper": (
        "Crops are counted as in the GoogLeNet paper, which has 144. Of the {paper} here, {count} differ and are "
        "computed: the three squares of a square picture are one. Digits are not mirrored, so they have half as many.",
        "裁剪数按 GoogLeNet 论文的算法计（论文有 144 个）。这里的 {paper} 个中有 {count} 个互不相同、实际计算：正方形"
        "图片的三个方块是同一个。数字不取镜像，因此数目减半。",
    ),
    "lesson.size": ("Size", "边长"),
    "lesson.kernel": ("Kernel", "卷积核"),
    "lesson.stride": ("Stride", "步幅"),
    "lesson.pad": ("Padding", "填充"),
    "lesson.step": ("Step", "步"),
    "lesson.channels": ("Channels in", "输入通道"),
    "lesson.filters": ("Filters (channels out)", "卷积核数（输出通道）"),
    "lesson.filter": ("Filter shown", "显示的卷积核"),
    "lesson.middle": ("Channels between", "中间通道"),
    "lesson.units": ("Values out of the dense layer", "全连接层输出数"),
    "lesson.max": ("Maximum", "最大值"),
    "lesson.average": ("Average", "平均值"),
    "lesson.input": ("Input", "输入"),
    "lesson.channel.in": ("Input, channel {number}", "输入通道 {number}"),
    "lesson.filter.channel": ("Filter {filter}, for channel {number}", "卷积核 {filter} 对通道 {number}"),
    "lesson.channel.out": ("Output of filter {number}", "卷积核 {number} 的输出"),
    "lesson.bias": ("(bias)", "（偏置）"),
    "lesson.misfit": (
        "A kernel of {kernel} does not fit in {size} pixels with {padding} of padding on each side: make the kernel "
        "smaller, or pad more.",
        "边长 {kernel} 的卷积核放不进 {size} 像素（每侧填充 {padding}）：请缩小卷积核或增加填充。",
    ),
    "lesson.padding": (
        "With {padding} of padding on each side, the first window of {kernel} lies in the padding alone and has "
        "nothing to pool: pad by half of the window at most.",
        "每侧填充 {padding} 时，边长 {kernel} 的第一个窗口完全落在填充里，无可池化：填充至多为窗口的一半。",
    ),
    "lesson.half": (
        "PyTorch refuses {padding} of padding on each side for pooling by windows of {kernel}: pad by half of the "
        "window at most.",
        "窗口边长 {kernel} 的池化，PyTorch 不接受每侧填充 {padding}：填充至多为窗口的一半。",
    ),
    "lesson.padded": (
        "The padding, empty here, never is the maximum (it counts as −∞), but enters the average as zeros, which "
        "lowers it at the edge.",
        "填充（此处留空）不会成为最大值（按 −∞ 计），却按 0 计入平均值，因此边缘的平均值偏低。",
    ),
    "lesson.window": (
        "Window {number} of {count}: it makes row {row}, column {column} of what comes out.",
        "第 {number} 个窗口，共 {count} 个：得到输出的第 {row} 行第 {column} 列。",
    ),
    "lesson.formula.value": ("Value:", "该处的值："),
    "lesson.formula.side": (
        "Side = ⌊(size + 2·padding − kernel) / stride⌋ + 1",
        "输出边长 = ⌊(边长 + 2·填充 − 卷积核) / 步幅⌋ + 1",
    ),
    "lesson.formula.short": ("Short: size / stride =", "短公式：边长 / 步幅 ="),
    "lesson.formula.parameters": (
        "Parameters = filters·(channels·kernel·kernel + 1) =",
        "参数 = 卷积核数·(通道·边长·边长 + 1) =",
    ),
    "lesson.convolution": (
        "{input} becomes {output}: each filter looks at all channels in, adds its one bias, and makes one channel out.",
        "{input} 变为 {output}：每个卷积核看所有输入通道，加上自己的一个偏置，产生一个输出通道。",
    ),
    "lesson.pooling": (
        "Pooling has no parameters and keeps the channels: each is pooled by itself.",
        "池化没有参数，也不改变通道数：各通道分别池化。",
    ),
    "lesson.short.right": (
        "The short formula, size / stride, holds here: windows lie side by side, without padding, and fill the "
        "picture.",
        "这里短公式“边长 / 步幅”成立：窗口并排、没有填充、恰好铺满。",
    ),
    "lesson.short.luck": (
        "The short formula, size / stride, comes to the same here, but by luck: it holds only for a window equal "
        "to the stride, without padding, and a stride that divides the size.",
        "短公式“边长 / 步幅”在这里碰巧相等：它只在窗口等于步幅、没有填充、且步幅整除边长时成立。",
    ),
    "lesson.short.wrong": (
        "The short formula, size / stride, says {short} where {side} is right: it holds only for a window equal "
        "to the stride, without padding, and a stride that divides the size.",
        "短公式“边长 / 步幅”得 {short}，正确的是 {side}：它只在窗口等于步幅、没有填充、且步幅整除边长时成立。",
    ),
    "lesson.straight": ("Straight", "直接"),
    "lesson.through": ("Through a 1×1 convolution", "先经 1×1 卷积"),
    "lesson.pointwise.less": (
        "Straight takes {ratio} times as many multiplications as through {middle} channels.",
        "直接做的乘法次数是先缩到 {middle} 个通道的 {ratio} 倍。",
    ),
    "lesson.pointwise.more": (
        "Through {middle} channels takes {ratio} times as many multiplications as straight: so many between save "
        "nothing.",
        "先经 {middle} 个通道的乘法次数是直接做的 {ratio} 倍：中间通道太多，反而不省。",
    ),
    "lesson.pointwise": (
        "Orange: the 1×1 convolution. Blue-green: that of {kernel}×{kernel}, padded so that the size stays.",
        "橙色：1×1 卷积；蓝绿色：{kernel}×{kernel} 卷积，经填充而边长不变。",
    ),
    "lesson.shares": (
        "{whole} parameters: {dense} in dense layers ({share} %), {rest} elsewhere",
        "共 {whole} 个参数：全连接层 {dense} 个（{share} %），其余 {rest} 个",
    ),
    "lesson.last": ("A dense layer on GoogLeNet's last maps, {maps}", "在 GoogLeNet 最后的特征图 {maps} 上接全连接层"),
    "lesson.flat": ("Flattened", "展平后"),
    "lesson.mean": ("Averaged", "求平均后"),
    "lesson.dense": (
        "Averaging {maps} leaves {channels} values, and a dense layer {ratio} times smaller. An average has no "
        "parameters, so nothing to overfit, and takes maps of any size. It also was more accurate, by about 0.6 points "
        "of top-1 on ImageNet, its authors report (Szegedy et al. 2015, section 5).",
        "把 {maps} 求平均后只剩 {channels} 个值，全连接层小到 1/{ratio}。求平均没有参数，也就不会过拟合，并且能接受任意"
        "大小的特征图。据作者报告，它在 ImageNet 上的 top-1 准确率还高约 0.6 个百分点（Szegedy 等 2015，第 5 节）。",
    ),
}


@dataclass(frozen=True)
class Text:
    """A text that is a value in another."""

    key: str


KEYS = {english: key for key, (english, _) in TEXTS.items()}


def say(language: str, key: str, **values: object) -> str:
    """The text of a key, its `{names}` filled in, errors in that language too.

    Raises KeyError for a key or a language that is not there.
    """
    text = TEXTS[key][list(LANGUAGES).index(language) if language in LANGUAGES else _unknown(language)]
    filled = {
        name: translate(language, value)
        if isinstance(value, TranslatableError)
        else say(language, value.key)
        if isinstance(value, Text)
        else value
        for name, value in values.items()
    }
    return text.format(**filled) if values else text


def mark(key: str, tag: str = "span", **values: object) -> str:
    """An HTML element that shows a text in the visitor's language; `tag` may carry attributes."""
    return f"<{tag} {_data('text', key, values)}>{note_html(say('en', key, **values))}</{tag.split()[0]}>"


def attribute(name: str, key: str, **values: object) -> str:
    """An HTML attribute (`title`, `aria-label`, `alt` or `placeholder`) in the visitor's language."""
    return f'{name}="{escape(say("en", key, **values), quote=True)}" {_data(f"text-{name}", key, values)}'


def translate(language: str, said: str | TranslatableError) -> str:
    """A sentence or an error that came in English; as it came if it is none of TEXTS."""
    sentence, values = _parts(said)
    return say(language, KEYS[sentence], **values) if sentence in KEYS else str(said)


def mark_sentence(said: str | TranslatableError) -> str:
    """A sentence or an error that came in English, in the visitor's language; as it came if it is none of TEXTS."""
    sentence, values = _parts(said)
    return mark(KEYS[sentence], **values) if sentence in KEYS else note_html(str(said))


def note_html(note: str) -> str:
    """A sentence with the `commands` in it set as code that may break at dots and underscores."""
    parts = escape(note).split("`")
    for odd in range(1, len(parts), 2):
        parts[odd] = f"<code>{parts[odd].replace('.', '.<wbr>').replace('_', '_<wbr>')}</code>"
    return "".join(parts)


def language_of(headers: Mapping[str, str]) -> str:
    """The language of a browser, where a request names none itself."""
    return "zh" if headers.get("accept-language", "").lower().startswith("zh") else "en"


def script() -> str:
    """The `<script>` for the head of the page: all texts, and what says them."""
    table = json.dumps(TEXTS, ensure_ascii=False).replace("<", "\\u003c")
    code = (Path(__file__).parent / "language.js").read_text(encoding="utf-8")
    constants = f"const TEXTS = {table}; const LANGUAGES = {json.dumps(list(LANGUAGES))};"
    return f"<script>(() => {{ {constants}\n{code}}})();</script>"


def _parts(said: str | TranslatableError) -> tuple[str, dict[str, object]]:
    return (said.sentence, said.values) if isinstance(said, TranslatableError) else (said, {})


def _data(name: str, key: str, values: dict[str, object]) -> str:
    written = json.dumps(values, ensure_ascii=False, default=_nested)
    filled = f' data-values="{escape(written, quote=True)}"' if values else ""
    return f'data-{name}="{key}"{filled}'


def _nested(value: object) -> object:
    """A text or an error among the values, as `language.js` reads it; whatever else came as a value, as it reads."""
    if isinstance(value, Text):
        return {"key": value.key}
    sentence, values = _parts(value) if isinstance(value, TranslatableError) else ("", {})
    return {"key": KEYS[sentence], "values": values} if sentence in KEYS else str(value)


def _unknown(language: str) -> int:
    raise KeyError(f"no texts in {language!r:.20}; there are {', '.join(LANGUAGES)}")
